"""The recipes that send moved sends of other recipes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.domain.errors import NotPossible
from functions.domain.recipe.moved import has_status, moved_from, moved_id, moved_ids, sends_instead
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.skips import skips_of
from functions.domain.recipe.status import Status
from functions.ports import Ports
from functions.usecases.timeline.orphans import went_live


def moved_to(ports: Ports, document: Mapping[str, Any], send_at: datetime) -> str:
    """Return the id of the recipe that sends, or has sent, in place of a skipped send; empty if it was not moved."""
    for each in moved_ids(document, send_at):
        copy = ports.recipes.get(each)
        if (copy is not None and sends_instead(copy)) or went_live(ports, each):
            return each
    return ""


def refuse_moved(ports: Ports, before: Mapping[str, Any] | None, document: Mapping[str, Any]) -> None:
    """Raise NotPossible if a changed document has a send again that was moved, and the copy sends, or has sent."""
    now = ports.clock.now()
    for send_at in skips_of(before):
        gone = send_at > now and not is_skipped(read(document).schedule, send_at)
        if gone and (moved := moved_to(ports, before or {}, send_at)):
            raise NotPossible(
                f"the send at {send_at:%Y-%m-%d %H:%M} UTC was moved to recipe {moved!r}, which sends it or has sent "
                "it: users would get the push twice. Keep it in schedule.skip"
            )


def copies_of(ports: Ports, document: Mapping[str, Any], status: Status) -> Sequence[Recipe]:
    """Return the recipes with a status for moved sends of a recipe. Its document may be broken by hand."""
    names = sorted({moved_id(document["id"], send_at) for send_at in skips_of(document)})
    return [read(copy) for copy in map(ports.recipes.get, names) if copy is not None and has_status(copy, status)]


def waiting_copies(ports: Ports, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each moved send of an active recipe whose copy is paused and could still send."""
    now = ports.clock.now()
    for copy in copies_of(ports, document, Status.PAUSED):
        send = next(copy.sends(now), None)
        if send is not None and not went_live(ports, copy.id):
            when = f"{send:%Y-%m-%d %H:%M} UTC"
            yield f"the send that was moved to {when} stays off: resume recipe {copy.id}, or restore the send"


def refuse_restored(ports: Ports, document: Mapping[str, Any]) -> None:
    """Raise NotPossible if an active copy would send in place of a send that its recipe sends itself."""
    origin = moved_from(document)
    stored = None if origin is None else ports.recipes.get(origin[0])
    if origin is None or stored is None or origin[1] <= ports.clock.now() or not has_status(stored, Status.ACTIVE):
        return
    if not is_skipped(read(stored).schedule, origin[1]):
        raise NotPossible(
            f"it would send in place of the send of recipe {origin[0]!r} at {origin[1]:%Y-%m-%d %H:%M} UTC, which is "
            "not skipped: skip or move that send first, or duplicate this recipe"
        )
