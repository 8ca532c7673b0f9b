"""Planted defects that trust Google Cloud too much: its clock, its answers, and that it is ready."""

from dataclasses import replace
from typing import Any

from functions.domain.errors import NotReady
from functions.gcp.stored_once import NameTaken, found_instead
from functions.usecases.timeline import postpone
from local.simulator.proof.defect import Defect
from local.simulator.proof.planting import Change


def _forget_the_step(right: Any) -> Any:
    """Answer a step that came too early without the task that follows it."""
    return lambda ports, task, why: right(ports, task, why) if isinstance(why, NotReady) else task


def _no_patience(right: Any) -> Any:
    """Give a step up at the first missing index or permission."""
    return lambda ports, task, why: None if isinstance(why, NotReady) else right(ports, task, why)


def _trust_403(right: Any) -> Any:
    """Take a 403 for a file that was written, whatever is there."""

    def found_instead(refusal: NameTaken, find: Any, name: str, checksum: str) -> Any:
        stored = right(refusal, find, name, checksum)
        return replace(stored, checksum=checksum) if refusal.denied else stored

    return found_instead


PLATFORM_DEFECTS = (
    Defect(
        name="early steps forgotten",
        means="a step that comes before its time is answered 200, and no task follows it",
        sentence=r"^its \w+ came before its time, and no task follows it$",
        favours=("task_early",),
        changes=(Change(postpone.postpone, _forget_the_step),),
    ),
    Defect(
        name="no patience with an index",
        means="a step is given up at once while an index is built or a permission spreads",
        sentence=r"^its \w+ was given up although Google may soon allow it$",
        favours=("index_missing", "permission_missing", "sends often"),
        changes=(Change(postpone.postpone, _no_patience),),
    ),
    Defect(
        name="403 taken as written",
        means="a 403 for a file that is there counts as the file that was to be written",
        sentence=r"^its audience counts as changed although nobody changed it$",
        favours=("existing_403", "unavailable_after", "storage_412", "sends often"),
        changes=(Change(found_instead, _trust_403),),
    ),
)
