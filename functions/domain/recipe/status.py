"""The status of a recipe: the only value that decides whether it runs."""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.documents import shown
from functions.domain.errors import BadRecipe, FieldError


class Status(StrEnum):
    """The status of a recipe. Only an active recipe sends."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    ARCHIVED = "archived"


OLD_WORDS = {
    "scheduled": Status.ACTIVE,
    "running": Status.ACTIVE,
    "inactive": Status.PAUSED,
    "cancelled": Status.PAUSED,
    "failed": Status.PAUSED,
}


def read_status(document: Mapping[str, object]) -> tuple[Status, tuple[str, ...]]:
    """Return a document's status. If `isActive` contradicts it, the recipe counts as paused, and a notice says so."""
    written, is_active = document.get("status"), document.get("isActive")
    if is_active is not None and not isinstance(is_active, bool):
        raise BadRecipe([FieldError("isActive", f"must be true or false, got {shown(is_active)}")])
    if written is None or written == "":
        if is_active is None:
            return Status.DRAFT, ()
        return (Status.ACTIVE if is_active else Status.PAUSED), ()
    status = _status(written)
    if is_active is None or is_active == (status is Status.ACTIVE):
        return status, ()
    notice = f"status {written!r} contradicts isActive {str(is_active).lower()}: the recipe is paused"
    return Status.PAUSED, (notice,)


def _status(written: object) -> Status:
    word = written.strip().lower() if isinstance(written, str) else written
    if isinstance(word, str) and word in OLD_WORDS:
        return OLD_WORDS[word]
    try:
        return Status(str(word))
    except ValueError:
        known = ", ".join([*Status, *OLD_WORDS])
        raise BadRecipe([FieldError("status", f"must be one of {known}, got {shown(written)}")]) from None
