"""The schedule in the campaign form as it is typed, the search for time zones, and skipping one send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from flask import Response

from functions.domain.errors import BadInput
from functions.domain.execution.execution import Execution, State
from functions.domain.instants import instant, stamp
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.skips import skipped_sends
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.forms.live_schedule import live_schedule
from functions.handlers.console.forms.zone_search import find_zones
from functions.handlers.console.notices import with_notices
from functions.handlers.console.visit import Route, Visit
from functions.handlers.console.words import city, iso, short_day
from functions.usecases.recipes.launched_sends import LaunchedSends, launched_sends
from functions.usecases.recipes.save import restore_send, skip_send, stored_recipe

_NEXT_SENDS = 5


@dataclass(frozen=True, kw_only=True)
class NextSend:
    """A coming send of a campaign, perhaps with its execution. `name` is how an address names it."""

    at: datetime
    execution: Execution | None = None
    skipped: bool = False

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


def next_sends(recipe: Recipe, now: datetime, launched: LaunchedSends) -> Sequence[NextSend]:
    """Return the next five sends of a recipe, and the skipped ones among them."""
    sends = list(islice(recipe.sends(now), _NEXT_SENDS))
    until = sends[-1] if sends else now
    found = [NextSend(at=at, execution=launched.get((recipe.id, at))) for at in sends]
    skipped = [
        NextSend(at=at, skipped=True, execution=launched.get((recipe.id, at)))
        for at in skipped_sends(recipe.schedule, now, until, recipe.first_send_at)
    ]
    return sorted([*found, *skipped], key=lambda send: send.at)


@dataclass(frozen=True, kw_only=True)
class SkipOutcome:
    """What skipping a send, or taking that back, did: a sentence, and the send whose skip can be undone."""

    words: str
    undo: str = ""
    moved: str = ""
    """The skipped send, which can go out at another time."""


def skip_outcome(visit: Visit, recipe: Recipe, launched: LaunchedSends) -> SkipOutcome | None:
    """Return the result of the last form, if it skipped or restored a send that is still to come."""
    outcome = visit.asked("outcome")
    try:
        at = instant(visit.asked("at"))
    except ValueError:
        return None
    zone, execution = recipe.schedule.zone, launched.get((recipe.id, at))
    named, skipped = f"{short_day(at, zone)} {city(zone)}", is_skipped(recipe.schedule, at)
    if outcome == "skipped" and skipped:
        if execution is not None:
            words = f"Skipped {named}. Its send was being prepared and is cancelled for good."
            return SkipOutcome(words=words, moved=iso(at))
        words = f"Skipped {named}. All other sends go out as planned."
        return SkipOutcome(words=words, undo=stamp(at) or "", moved=iso(at))
    if outcome == "restored" and not skipped:
        if execution is not None and execution.state.final:
            return SkipOutcome(words=f"{named} is not skipped any more, but its send was cancelled and stays so.")
        return SkipOutcome(words=f"Restored. {named} is sent as planned.")
    return None


def show_live(visit: Visit) -> Response:
    """Answer what the schedule of the form means, as a part of the form."""
    live = live_schedule(visit.request.form.to_dict() | _days(visit), visit.now)
    return page(visit, "form/schedule_typed.html", live=live)


def _days(visit: Visit) -> dict[str, str]:
    name = "schedule.daysOfWeek"
    return {name: ",".join(visit.request.form.getlist(name))}


def search_zones(visit: Visit) -> Response:
    """Answer the zones that fit what is typed, each with its current time."""
    return page(visit, "form/schedule_zones.html", zones=find_zones(visit.asked("schedule.timezone"), visit.now))


def ask_skip(visit: Visit) -> Response:
    """Ask whether to skip a send, and say what that does."""
    recipe_id, at = visit.path["recipe_id"], _send_at(visit.asked("at"))
    recipe = read(stored_recipe(visit.ports, recipe_id), default_id=recipe_id)
    execution = launched_sends(visit.ports, visit.now, recipe_id).get((recipe_id, at))
    following = next((send for send in recipe.sends(at) if send > at), None)
    return page(
        visit,
        "form/schedule_skip.html",
        recipe=recipe,
        send=NextSend(at=at, execution=execution),
        following=following,
    )


def skip(visit: Visit) -> Response:
    """Skip a send."""
    return _change(visit, skipped=True)


def restore(visit: Visit) -> Response:
    """Take back the skip of a send."""
    return _change(visit, skipped=False)


def _change(visit: Visit, *, skipped: bool) -> Response:
    recipe_id, at = visit.path["recipe_id"], _send_at(visit.field("at"))
    change = skip_send if skipped else restore_send
    recipe = change(visit.ports, recipe_id, at, by=visit.caller.name)
    path = f"/recipes/{recipe_id}"
    outcome = "skipped" if skipped else "restored"
    return to(visit, path, outcome=outcome, at=stamp(at) or "", **with_notices(path, recipe.notices))


def _send_at(text: str) -> datetime:
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
