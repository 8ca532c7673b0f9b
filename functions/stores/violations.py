"""The store of violations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.domain.audit import Action, Deed
from functions.domain.execution.safeguards import Violation
from functions.domain.execution.violations import read_violation, write_violation
from functions.domain.ids import recipe_of
from functions.domain.retention import expires_with
from functions.ports.violations import ViolationPlace
from functions.stores.audit import DocumentAuditLog
from functions.stores.documents import Collection, Documents, Query


def _fields(violation: Violation) -> Mapping[str, Any]:
    expires = {"expireAt": expires_with(violation.execution_id)}
    return {"at": violation.at, "recipeId": violation.recipe_id, "resolved": violation.resolved, **expires}


VIOLATIONS = Collection[Violation](
    path="executions/{}/violations/{}",
    write=write_violation,
    read=lambda document, _: read_violation(document) if document else None,
    fields=_fields,
    read_newer=lambda *_: None,
)
_UNRESOLVED = Query(where=(("resolved", "==", False),), order="at", descending=True)


class DocumentViolationStore:
    """Implements ViolationStore."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._audit = DocumentAuditLog(documents)
        self._recipes_named = False

    def record(self, violation: Violation) -> bool:
        return self._documents.create(VIOLATIONS.at(violation.execution_id, violation.id), violation)

    def of(self, execution_id: str) -> Sequence[Violation]:
        return self._documents.find(VIOLATIONS, Query(under=(execution_id,), order="at"))

    def unresolved(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        wanted = replace(_UNRESOLVED, after=after or (), most=most)
        if recipe_id is not None:
            self._name_recipes_once()
            wanted = replace(wanted, where=(*wanted.where, ("recipeId", "==", recipe_id)))
        return self._documents.find(VIOLATIONS, wanted)

    def _name_recipes_once(self) -> None:
        """Add the recipe to open violations that an older release wrote without it, once per process."""
        if not self._recipes_named:
            self._documents.fill(VIOLATIONS, _UNRESOLVED, "recipeId")
            self._recipes_named = True

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str, note: str = "") -> Violation:
        deed = Deed(by=by, at=at, action=Action.RESOLVED)
        return self._change(execution_id, violation_id, lambda found: found.resolve(at, by, note), deed)

    def reopen(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        deed = Deed(by=by, at=at, action=Action.REOPENED)
        return self._change(execution_id, violation_id, Violation.reopen, deed)

    def _change(
        self, execution_id: str, violation_id: str, change: Callable[[Violation], Violation], deed: Deed
    ) -> Violation:
        place = VIOLATIONS.at(execution_id, violation_id)
        missing = f"execution {execution_id} has no violation {violation_id!r}"
        return self._audit.change_one(recipe_of(execution_id), place, change, deed, said=_said, missing=missing)


def _said(violation: Violation) -> dict[str, Any]:
    """Return what the audit log says about a violation that a person resolved or reopened."""
    named = {"executionId": violation.execution_id, "violationId": violation.id, "type": violation.finding.type.value}
    return {**named, "note": violation.note} if violation.note else named
