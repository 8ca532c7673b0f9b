"""Skip a send of a recipe, and take that back: changes of `schedule.skip` in its document."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from functions.domain.errors import NotPossible
from functions.domain.instants import instant, stamp
from functions.domain.recipe.read import Document, read
from functions.domain.recipe.schedule import Schedule, is_skipped, planned_from, sends_from
from functions.domain.recipe.schedule_fields import MOST_SKIPS

_KEPT = timedelta(days=31)
"""How long a past skip is kept: without it, the send would count as missed."""


def with_skip(
    document: Document, send_at: datetime, now: datetime, *, last: str = "pause the recipe instead"
) -> Document:
    """Return a stored document that leaves out a send; doing it again changes nothing.

    NotPossible if the recipe is not active, has no such send, or no other one; `last` says what to do then.
    """
    recipe = read(document)
    if is_skipped(recipe.schedule, send_at):
        return document
    named = f"{send_at:%Y-%m-%d %H:%M} UTC"
    if not recipe.is_active:
        raise NotPossible(f"recipe {recipe.id!r} is {recipe.status.value}: it has no send to skip")
    if send_at <= now:
        raise NotPossible(f"the send at {named} is not in the future: only a future send can be skipped")
    if next(recipe.sends(send_at), None) != send_at:
        raise NotPossible(f"recipe {recipe.id!r} has no send at {named}: name one of its next sends")
    skipped = _with(document, [*recipe.schedule.skip, send_at], now)
    if next(sends_from(read(skipped).schedule, now), None) is None:
        raise NotPossible(f"the send at {named} is the last one of recipe {recipe.id!r}: {last}")
    return skipped


def without_skip(document: Document, send_at: datetime, now: datetime) -> Document:
    """Return a stored document that sends at this instant again; doing it again changes nothing.

    NotPossible if the send's time has passed.
    """
    schedule = read(document).schedule
    if not is_skipped(schedule, send_at):
        return document
    if send_at <= now:
        raise NotPossible(f"the send at {send_at:%Y-%m-%d %H:%M} UTC is not in the future: it stays skipped")
    day = schedule.day_of(send_at)
    kept = [at for at in schedule.skip if at != send_at and not (schedule.by_day and schedule.day_of(at) == day)]
    return _with(document, kept, now)


def without_skips(document: Document) -> Document:
    """Return a document without skips, for a copy; it may be broken by hand."""
    schedule = document.get("schedule")
    if not isinstance(schedule, Mapping) or "skip" not in schedule:
        return document
    return {**document, "schedule": {name: value for name, value in schedule.items() if name != "skip"}}


def with_past_skips(document: Document, stored: Mapping[str, Any] | None, now: datetime) -> Document:
    """Return a valid document to store with its future skips, and the past ones of the stored document."""
    written = skips_of(document)
    if not written and not skips_of(stored):
        return document
    return _with(document, [at for at in written if at > now] + [at for at in skips_of(stored) if at <= now], now)


def skipped_sends(
    schedule: Schedule, since: datetime, until: datetime, first_send_at: datetime | None
) -> list[datetime]:
    """Return the skipped sends of an active recipe from `since` to before `until`, in order."""
    if not schedule.skip:
        return []
    last = min(until, max(schedule.skip) + timedelta(days=1))
    planned = planned_from(schedule, max(since, first_send_at or since))
    return [at for at in takewhile(lambda at: at < last, planned) if is_skipped(schedule, at)]


def _with(document: Document, skips: list[datetime], now: datetime) -> Document:
    kept = sorted({at for at in skips if at > now - _KEPT})
    oldest = max(0, min(len(kept) - MOST_SKIPS, sum(at <= now for at in kept)))
    if not kept:
        return without_skips(document)
    return {**document, "schedule": {**document["schedule"], "skip": [stamp(at) for at in kept[oldest:]]}}


def skips_of(document: Mapping[str, Any] | None) -> list[datetime]:
    """Return the skips of a document, which may be broken by hand."""
    schedule = (document or {}).get("schedule")
    written = schedule.get("skip") if isinstance(schedule, Mapping) else None
    found = []
    for text in written if isinstance(written, list) else ():
        with suppress(ValueError):
            found += [instant(text)] if isinstance(text, str) else []
    return found
