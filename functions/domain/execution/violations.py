"""Write violations as documents and read them back. The instant keeps its microseconds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.domain.documents import known
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.ids import recipe_of
from functions.domain.instants import instant, stamp


def write_violation(violation: Violation) -> dict[str, object]:
    """Return the document to store."""
    finding = violation.finding
    return {
        "id": violation.id,
        "executionId": violation.execution_id,
        "recipeId": violation.recipe_id,
        "type": finding.type.value,
        "severity": finding.severity.value,
        "message": finding.message,
        "data": dict(finding.data),
        "at": stamp(violation.at),
        "resolved": violation.resolved,
        "resolvedAt": stamp(violation.resolved_at),
        "resolvedBy": violation.resolved_by,
        "resolvedNote": violation.note,
        "actionTaken": finding.action,
    }


def read_violation(document: Mapping[str, Any]) -> Violation:
    """Read what `write_violation` wrote."""
    finding = Finding(
        type=known(ViolationType, document["type"], ViolationType.OTHER),
        severity=known(Severity, document["severity"], Severity.CRITICAL),
        message=document["message"],
        action=document["actionTaken"],
        data=document["data"],
    )
    return Violation(
        id=document["id"],
        execution_id=document["executionId"],
        recipe_id=document.get("recipeId") or recipe_of(document["executionId"]),
        finding=finding,
        at=instant(document["at"]),
        resolved_at=_resolved_at(document),
        resolved_by=document.get("resolvedBy") or "",
        note=document.get("resolvedNote") or "",
    )


def _resolved_at(document: Mapping[str, Any]) -> datetime | None:
    """Return when a violation was resolved. If an operator set `resolved` by hand without a time, return `at`."""
    if not document["resolved"]:
        return None
    return instant(document.get("resolvedAt") or document["at"])
