"""Scheduled pushes of the system that Tminus replaces, converted to recipes that send once."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.domain.documents import shown, storage_errors
from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import RECIPE_ID
from functions.domain.instants import instant, no_instant
from functions.domain.recipe.status import Status

ORIGIN = "scheduledPush"
"""The field of a recipe's `metadata` that keeps the old document as it was."""
_LONGEST_ID = 80
_LONGEST_NAME = 80
_STATUS = {
    **dict.fromkeys(("", "scheduled", "pending", "active"), Status.ACTIVE),
    **dict.fromkeys(("sent", "sending", "running", "completed", "delivered"), Status.COMPLETED),
    **dict.fromkeys(("paused", "inactive", "cancelled", "canceled", "failed"), Status.PAUSED),
    "draft": Status.DRAFT,
}
"""A push that was being sent when the old system ended may have arrived: it is never sent again."""


@dataclass(frozen=True, kw_only=True)
class OnceRecipe:
    """The document of a recipe that sends once, and notices about what was converted."""

    document: Mapping[str, Any]
    notices: tuple[str, ...]


def is_old_push(document: object) -> bool:
    """Return whether a document is a scheduled push, even an invalid one."""
    return isinstance(document, Mapping) and "scheduledFor" in document and "pushSequence" not in document


def once_recipe(old: Mapping[str, Any], now: datetime) -> OnceRecipe:
    """Return the recipe for a scheduled push; BadFields names the invalid fields of the push.

    A push that was sent, or whose time has passed, becomes a completed recipe, which never sends. The same push
    always gets the same recipe id. The caller still has to check the recipe: see `old_field`.
    """
    unstorable = storage_errors(old)
    if unstorable:
        raise BadFields(unstorable)
    errors: list[FieldError] = []
    notices: list[str] = []
    at, status = _instant(old.get("scheduledFor"), errors), _status(old.get("status"), errors)
    if not isinstance(old.get("id"), str) or not old["id"].strip():
        errors.append(FieldError("id", f"must be a text, got {shown(old.get('id'))}"))
    if errors or at is None or status is None:
        raise BadFields(errors)
    if at <= now and status is not Status.COMPLETED:
        notices.append(f"it was {status.value} and its time has passed: it is completed and never sends")
        status = Status.COMPLETED
    if at.second or at.microsecond:
        notices.append(f"it is sent at the full minute, {at:%H:%M} UTC")
    if old.get("layerId") in (None, 0):
        notices.append("it named no layer: it has layer 5, which users get once in 96 hours")
    return OnceRecipe(document=_document(old, at, status), notices=tuple(notices))


def old_field(field: str) -> str:
    """Return the field of the old document from which a field of the recipe was made."""
    moved = {"schedule.startDate": "scheduledFor", "schedule": "scheduledFor", "name": "title"}
    return moved.get(field, field.removeprefix("pushSequence[0]."))


def recipe_id(old_id: str) -> str:
    """Return the recipe id for an old push: unique for each push, and always the same."""
    if RECIPE_ID.fullmatch(old_id) and len(old_id) <= _LONGEST_ID:
        return f"push-{old_id}"
    return f"push-{hashlib.sha256(old_id.encode()).hexdigest()[:20]}"


def _document(old: Mapping[str, Any], at: datetime, status: Status) -> dict[str, Any]:
    push = {name: old[name] for name in ("title", "body", "deepLink") if old.get(name) is not None}
    title, description = str(old.get("title") or ""), old.get("audienceDescription")
    created = {"createdAt": old["createdAt"]} if isinstance(old.get("createdAt"), str) else {}
    return {
        "id": recipe_id(old["id"]),
        "name": re.sub(r"\s+", " ", title).strip()[:_LONGEST_NAME] or old["id"][:_LONGEST_NAME],
        "description": description if isinstance(description, str) else "",
        "type": "single_push",
        "status": status.value,
        "isActive": status is Status.ACTIVE,
        "schedule": {
            "timezone": "UTC",
            "frequency": "once",
            "startDate": f"{at:%Y-%m-%d}",
            "executionTime": f"{at:%H:%M}",
        },
        "pushSequence": [{"sequenceOrder": 1, "layerId": old.get("layerId") or 5, **push}],
        "audienceCriteria": old.get("audienceCriteria") or {},
        "metadata": {ORIGIN: dict(old)},
        **created,
    }


def _instant(written: object, errors: list[FieldError]) -> datetime | None:
    try:
        if isinstance(written, str):
            return instant(written)
    except ValueError:
        pass
    errors.append(FieldError("scheduledFor", no_instant(shown(written), str(written))))
    return None


def _status(written: object, errors: list[FieldError]) -> Status | None:
    word = "" if written is None else written
    if isinstance(word, str) and word.strip().lower() in _STATUS:
        return _STATUS[word.strip().lower()]
    known = ", ".join(word for word in _STATUS if word)
    errors.append(FieldError("status", f"must be one of {known}, got {shown(written)}"))
    return None
