"""The cadence ledger in Firestore: `cadence/{partition}/days/{yyyymmdd}`, packed; and its rules."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from google.cloud import firestore

from functions.domain.audit import Deed
from functions.domain.cadence.rule_changes import SUBJECT, rules_document
from functions.domain.cadence.rules import DEFAULT_RULES, CadenceRule
from functions.domain.errors import LedgerUnreadable, Misconfigured, Transient
from functions.gcp.firestore.audit import FirestoreAuditLog
from functions.gcp.firestore.documents import Snapshot, Unit, plain, read
from functions.gcp.firestore.documents import change as change_documents

T = TypeVar("T")

_KEPT = timedelta(days=120)
"""Longer than anybody may look back; then the database deletes a day by itself, some time."""
_NOBODY_KNOWS = (Transient, Misconfigured)


class FirestoreCadenceLedger:
    """Plays CadenceLedger; LedgerUnreadable where Firestore cannot be read or written."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._audit = FirestoreAuditLog(client)
        self._rules = client.document("settings/cadence")

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days, write what `change` makes of them, in one transaction; a day never written is empty bytes.

        Who writes any day writes the partition's own document too: so two that write different days of it, each by
        what it has read of the other's, cannot both succeed.
        """
        whole = self._client.document(f"cadence/{partition:03}")
        places = {day: whole.collection("days").document(f"{day:%Y%m%d}") for day in days}

        def work(unit: Unit) -> T:
            stored = {
                day: bytes((unit.read(place).to_dict() or {}).get("packed", b"")) for day, place in places.items()
            }
            written, result = change(stored)
            for day, packed in written.items():
                unit.write(places[day], {"packed": packed, "expireAt": _midnight(day) + _KEPT})
            if written:
                unit.write(whole, {})
            return result

        try:
            return change_documents(self._client, [whole, *places.values()], work)
        except LedgerUnreadable:
            raise
        except _NOBODY_KNOWS as error:
            raise LedgerUnreadable(f"cadence ledger, partition {partition}: {error}") from error

    def rules(self) -> Sequence[CadenceRule]:
        """Return the rules in force: those saved last, else the default ones."""
        try:
            return _read_rules(read(self._rules))
        except _NOBODY_KNOWS as error:
            raise LedgerUnreadable(f"cadence rules: {error}") from error

    def change_rules(
        self, change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]], deed: Deed
    ) -> Sequence[CadenceRule]:
        """Replace the rules, in one transaction with an entry of the audit log; none bring the default ones back."""

        def work(unit: Unit) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
            before = _read_rules(unit.read(self._rules))
            rules[:] = change(before)
            unit.write(self._rules, {"rules": [rule.document() for rule in rules]})
            return rules_document(before), rules_document(rules or DEFAULT_RULES)

        rules: list[CadenceRule] = []
        self._audit.tell(SUBJECT, self._rules, work, deed)
        return tuple(rules) or DEFAULT_RULES


def _read_rules(snapshot: Snapshot) -> Sequence[CadenceRule]:
    document = plain(snapshot) or {}
    try:
        return tuple(CadenceRule.read(rule) for rule in document.get("rules", [])) or DEFAULT_RULES
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerUnreadable(f"settings/cadence was edited and is malformed: {error!r}") from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
