"""The schedule in the campaign form as it is typed, the search for time zones, and skipping one send."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.execution.execution import Execution, State
from functions.domain.instants import instant, stamp
from functions.domain.recipe.read import Document, Recipe, read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.skips import skipped_sends
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.forms.live_schedule import live_schedule
from functions.handlers.console.forms.zone_search import find_zones
from functions.handlers.console.notices import with_notices
from functions.handlers.console.visit import Route, Visit
from functions.handlers.console.words import city, iso, short_day
from functions.ports import Ports
from functions.usecases.recipes.launched_sends import LaunchedSends, launched_sends
from functions.usecases.recipes.moved import moved_to
from functions.usecases.recipes.save import restore_send, skip_send, stored_recipe

_NEXT_SENDS = 5


@dataclass(frozen=True, kw_only=True)
class NextSend:
    """A coming send of a campaign, perhaps with its execution. `name` is how an address names it.

    `moved_to` is the id of the campaign that sends in its place, at `moved_at` unless it has sent.
    """

    at: datetime
    execution: Execution | None = None
    skipped: bool = False
    moved_to: str = ""
    moved_at: datetime | None = None

    @property
    def name(self) -> str:
        """The instant, as addresses and forms write it."""
        return stamp(self.at) or ""

    @property
    def may_skip(self) -> bool:
        """Whether the send can be left out: it neither ended nor is live."""
        if self.execution is None:
            return not self.skipped
        return not self.execution.state.final and self.execution.state is not State.LIVE

    @property
    def may_restore(self) -> bool:
        """Whether the skip can be taken back: it has cancelled nothing."""
        return self.skipped and self.execution is None


def next_sends(ports: Ports, recipe: Recipe, launched: LaunchedSends) -> Sequence[NextSend]:
    """Return the next five sends of a recipe, and the skipped ones among them."""
    now, document = ports.clock.now(), recipe.document()
    sends = list(islice(recipe.sends(now), _NEXT_SENDS))
    until = sends[-1] if sends else now
    found = [NextSend(at=at, execution=launched.get((recipe.id, at))) for at in sends]
    skipped = [
        replace(_moved(ports, document, at, now), execution=launched.get((recipe.id, at)))
        for at in skipped_sends(recipe.schedule, now, until, recipe.first_send_at)
    ]
    return sorted([*found, *skipped], key=lambda send: send.at)


def _moved(ports: Ports, document: Document, at: datetime, now: datetime) -> NextSend:
    """Return a skipped send, with the campaign that sends in its place."""
    copy_id = moved_to(ports, document, at)
    copy = ports.recipes.get(copy_id) if copy_id else None
    moved_at = next(read(copy).sends(now), None) if copy else None
    return NextSend(at=at, skipped=True, moved_to=copy_id if copy else "", moved_at=moved_at)


@dataclass(frozen=True, kw_only=True)
class SkipOutcome:
    """What skipping or moving a send, or taking that back, did: a sentence, and the send for which it can be undone.

    `moves` is the skipped send, which can still be moved; `moved_to` the campaign that sends in its place.
    """

    words: str
    undo: str = ""
    moves: str = ""
    moved_to: str = ""


def skip_outcome(visit: Visit, recipe: Recipe, launched: LaunchedSends) -> SkipOutcome | None:
    """Return the result of the last form, if it skipped or restored a send that is still to come."""
    outcome = visit.asked("outcome")
    try:
        at = instant(visit.asked("at"))
    except ValueError:
        return None
    zone, execution = recipe.schedule.zone, launched.get((recipe.id, at))
    named, skipped = f"{short_day(at, zone)} {city(zone)}", is_skipped(recipe.schedule, at)
    if outcome == "restored" and not skipped:
        stays = execution is not None and execution.state.final
        off = f"{named} is not skipped any more, but its send was cancelled and stays so."
        return SkipOutcome(words=off if stays else f"Restored. {named} is sent as planned.")
    if not skipped or outcome not in ("moved", "skipped"):
        return None
    if outcome == "moved":
        return _moved_outcome(visit, recipe, at, named)
    if execution is not None:
        words = f"Skipped {named}. Its send was being prepared and is cancelled for good."
        return SkipOutcome(words=words, moves=iso(at))
    words = f"Skipped {named}. All other sends go out as planned."
    return SkipOutcome(words=words, undo=stamp(at) or "", moves=iso(at))


def _moved_outcome(visit: Visit, recipe: Recipe, at: datetime, named: str) -> SkipOutcome | None:
    send, zone = _moved(visit.ports, recipe.document(), at, visit.now), recipe.schedule.zone
    if not send.moved_to:
        return None
    when = f" to {short_day(send.moved_at, zone)} {city(zone)}" if send.moved_at else ""
    words = f"Moved {named}{when}. All other sends go out as planned."
    return SkipOutcome(words=words, undo=send.name if at > visit.now else "", moved_to=send.moved_to)


def show_live(visit: Visit) -> Response:
    """Answer what the schedule of the form means, as a part of the form."""
    live = live_schedule(visit.request.form.to_dict() | _days(visit), visit.now)
    return page(visit, "form/schedule_typed.html", live=live, typed=visit.request.form)


def _days(visit: Visit) -> dict[str, str]:
    name = "schedule.daysOfWeek"
    return {name: ",".join(visit.request.form.getlist(name))}


def search_zones(visit: Visit) -> Response:
    """Answer the zones that fit what is typed, each with its current time."""
    return page(visit, "form/schedule_zones.html", zones=find_zones(visit.asked("schedule.timezone"), visit.now))


def ask_skip(visit: Visit) -> Response:
    """Ask whether to skip a send, and say what that does."""
    recipe_id, at = visit.path["recipe_id"], named_send(visit.asked("at"))
    recipe = read(stored_recipe(visit.ports, recipe_id), default_id=recipe_id)
    return page(visit, "form/schedule_skip.html", recipe=recipe, **send_of(visit, recipe, at))


def send_of(visit: Visit, recipe: Recipe, at: datetime) -> dict[str, Any]:
    """Return a send of a recipe, and the one that follows it, for a page about it."""
    execution = launched_sends(visit.ports, visit.now, recipe.id).get((recipe.id, at))
    following = next((send for send in recipe.sends(at) if send > at), None)
    return {"send": NextSend(at=at, execution=execution), "following": following}


def skip(visit: Visit) -> Response:
    """Skip a send."""
    return _change(visit, skipped=True)


def restore(visit: Visit) -> Response:
    """Take back the skip of a send."""
    return _change(visit, skipped=False)


def _change(visit: Visit, *, skipped: bool) -> Response:
    recipe_id, at = visit.path["recipe_id"], named_send(visit.field("at"))
    change = skip_send if skipped else restore_send
    recipe = change(visit.ports, recipe_id, at, by=visit.caller.name)
    path = f"/recipes/{recipe_id}"
    outcome = "skipped" if skipped else "restored"
    return to(visit, path, outcome=outcome, at=stamp(at) or "", **with_notices(path, recipe.notices))


def named_send(text: str) -> datetime:
    """Return the send that an address or a form names; BadInput if it names none."""
    try:
        return instant(text)
    except ValueError:
        raise BadInput(
            "the address names no send: go back to the campaign, and choose one of its next sends"
        ) from None


_AT = "/recipes/<recipe_id>"
ROUTES = (
    Route(method="POST", path="/recipes/schedule", serve=show_live, least=Role.OPERATOR),
    Route(method="GET", path="/zones", serve=search_zones, least=Role.OPERATOR),
    Route(method="GET", path=f"{_AT}/skip", serve=ask_skip, least=Role.OPERATOR),
    Route(method="POST", path=f"{_AT}/skip", serve=skip, least=Role.OPERATOR),
    Route(method="POST", path=f"{_AT}/restore", serve=restore, least=Role.OPERATOR),
)
