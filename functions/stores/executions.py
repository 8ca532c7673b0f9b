"""Executions, the instant up to which every send has one, and logs."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from functions.domain.audit import Deed
from functions.domain.documents import FORMAT
from functions.domain.execution.execution import Execution
from functions.domain.ids import recipe_of
from functions.domain.instants import instant, stamp
from functions.domain.retention import LAST_RESORT, expires_with
from functions.ports.executions import ExecutionSearch, LogEntry, Place
from functions.stores.audit import DocumentAuditLog, Snapshot
from functions.stores.documents import Batch, Collection, Documents, Query, change_one, newer_format


def _fields(execution: Execution) -> Mapping[str, Any]:
    """Return the fields to search by. Instants are included, so that databases can sort and people can read them."""
    return {
        "recipeId": execution.recipe_id,
        "state": execution.state.value,
        "sendAt": execution.send_at,
        "createdAt": execution.created_at,
        "unfinished": not (execution.state.final and execution.cleaned),
        "expireAt": expires_with(execution.id),
    }


def _read_newer(document: Mapping[str, Any], keys: Sequence[str]) -> Execution:
    """Read what is needed to show an execution of a newer format, to fail it, and to clean up after it."""
    needed = {"recipeId": recipe_of(keys[0]), "claim": "", **document, "id": keys[0]}
    return Execution.read(needed).unread(newer_format(document[FORMAT]))


def _read_accounted(document: Mapping[str, Any], _: Sequence[str]) -> datetime | None:
    """Return the stored instant; None if it was edited by hand and cannot be read."""
    kept = document.get("accountedUntil")
    try:
        return instant(kept) if isinstance(kept, str) else None
    except ValueError:
        return None


def _read_line(document: Mapping[str, Any], _: Sequence[str]) -> LogEntry:
    written = {name: document[name] for name in ("phase", "level", "message")}
    return LogEntry(at=instant(document["at"]), **written)


EXECUTIONS = Collection[Execution](
    path="executions/{}",
    write=Execution.document,
    read=lambda document, _: Execution.read(document) if document else None,
    fields=_fields,
    read_newer=_read_newer,
    numbered=lambda execution, number: replace(execution, number=number),
)
SENDS = Collection[datetime](
    path="settings/sends",
    write=lambda until: {"accountedUntil": stamp(until)},
    read=_read_accounted,
    read_newer=lambda *_: None,
)
"""An instant of a newer format counts as missing: reconcile stores it again."""
LOGS = Collection[LogEntry](
    path="executions/{}/log/{}",
    write=lambda entry: {"phase": entry.phase, "level": entry.level, "message": entry.message},
    read=_read_line,
    fields=lambda entry: {"at": entry.at, "expireAt": entry.at + LAST_RESORT},
    has_format=False,
)
"""Lines have no format, because the first release refuses a line with a field that it does not know."""


class DocumentExecutionStore:
    """Implements ExecutionStore."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._audit = DocumentAuditLog(documents)

    def create(self, execution: Execution, deed: Deed | None = None) -> bool:
        place = EXECUTIONS.at(execution.id)

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            return None, _said(execution) if batch.create(place, execution) else None

        if deed is None:
            created = self._documents.create(place, execution)
        else:
            created = self._audit.change(execution.recipe_id, [place], work, deed) is not None
        if created:
            return True
        stored = self.get(execution.id)
        return stored is not None and stored.claim == execution.claim

    def get(self, execution_id: str) -> Execution | None:
        return self._documents.get(EXECUTIONS.at(execution_id))

    def change(
        self, execution_id: str, change: Callable[[Execution], Execution], deed: Deed | None = None
    ) -> Execution:
        place, missing = EXECUTIONS.at(execution_id), f"execution {execution_id} does not exist"
        if deed is None:
            return change_one(self._documents, place, change, missing=missing)
        return self._audit.change_one(recipe_of(execution_id), place, change, deed, said=_said, missing=missing)

    def unfinished(self) -> Sequence[Execution]:
        found = self._documents.find(EXECUTIONS, Query(where=(("unfinished", "==", True),)))
        return sorted(found, key=lambda execution: (execution.number, execution.id))

    def search(
        self, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
    ) -> Sequence[Execution]:
        query = Query(where=_where(wanted), order="sendAt", descending=not oldest_first, after=after or (), most=most)
        return self._documents.find(EXECUTIONS, query)

    def count(self, wanted: ExecutionSearch) -> int:
        return self._documents.count(EXECUTIONS, Query(where=_where(wanted)))

    def accounted_until(self) -> datetime | None:
        return self._documents.get(SENDS.at())

    def account_until(self, at: datetime) -> None:

        def work(batch: Batch) -> None:
            batch.write(SENDS.at(), max(at, batch.read(SENDS.at()) or at))

        self._documents.change([SENDS.at()], work)


class DocumentExecutionLog:
    """Implements ExecutionLog. Lines with the same instant keep the order in which a process wrote them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._process, self._lines = uuid4().hex[:8], itertools.count()

    def add(self, execution_id: str, entry: LogEntry) -> None:
        name = f"{entry.at:%Y%m%dT%H%M%S%f}-{self._process}-{next(self._lines):06}"
        self._documents.create(LOGS.at(execution_id, name), entry)

    def of(self, execution_id: str) -> Sequence[LogEntry]:
        return self._documents.find(LOGS, Query(under=(execution_id,)))


def _said(execution: Execution) -> dict[str, Any]:
    """Return what the audit log says about an execution that a person started or ended."""
    named = {"executionId": execution.id, "kind": execution.kind.value, "state": execution.state.value}
    return {**named, "reason": execution.reason} if execution.reason else named


def _where(wanted: ExecutionSearch) -> tuple[tuple[str, str, Any], ...]:
    asked = (
        ("recipeId", "==", wanted.recipe_id),
        ("state", "==", wanted.state and wanted.state.value),
        ("sendAt", ">=", wanted.since),
        ("sendAt", "<", wanted.until),
    )
    return tuple(condition for condition in asked if condition[2] is not None)
