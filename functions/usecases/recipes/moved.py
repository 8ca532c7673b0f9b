"""The recipes that send moved sends of other recipes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from functions.domain.errors import NotPossible
from functions.domain.recipe.moved import is_active, moved_id, moved_ids, sends_instead
from functions.domain.recipe.read import read
from functions.domain.recipe.schedule import is_skipped
from functions.domain.recipe.skips import skips_of
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


def copies_to_send(ports: Ports, document: Mapping[str, Any]) -> Sequence[str]:
    """Return the ids of the active recipes that send moved sends of a recipe. Its document may be broken by hand."""
    found = {moved_id(document["id"], send_at) for send_at in skips_of(document)}
    return sorted(each for each in found if is_active(ports.recipes.get(each)))
