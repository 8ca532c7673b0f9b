"""The cadence ledger, packed, by partition of users and UTC day; and its rules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from functions.domain import retention
from functions.domain.audit import Deed
from functions.domain.cadence.rule_changes import SUBJECT, rules_document, to_save
from functions.domain.cadence.rules import CadenceRule, in_force
from functions.domain.errors import LedgerUnreadable, Misconfigured, StoreUnavailable, Transient, Unreadable
from functions.stores.audit import DocumentAuditLog, Snapshot
from functions.stores.documents import Batch, Collection, Documents

T = TypeVar("T")
Rules = tuple[CadenceRule, ...]


@dataclass(frozen=True)
class PackedDay:
    """The reservations of one partition on one day; `day` is None if it is not read again."""

    packed: bytes
    day: date | None = None


def _day_fields(day: PackedDay) -> Mapping[str, Any]:
    midnight = datetime.combine(day.day, time(), UTC) if day.day else None
    return {"packed": day.packed, "expireAt": midnight and midnight + retention.LEDGER}


def _read_rules(document: Mapping[str, Any], _: Sequence[str]) -> Rules:
    try:
        return tuple(CadenceRule.read(rule) for rule in document.get("rules", []))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LedgerUnreadable(f"settings/cadence was edited and is malformed: {error!r}") from error


PARTITIONS = Collection[None](path="cadence/{:03}", write=lambda _: {}, read=lambda *_: None)
DAYS = Collection[PackedDay](
    path="cadence/{:03}/days/{:%Y%m%d}",
    write=lambda _: {},
    read=lambda document, _: PackedDay(bytes(document.get("packed", b""))),
    fields=_day_fields,
)
RULES = Collection[Rules](
    path="settings/cadence",
    write=lambda rules: {"rules": [rule.document() for rule in rules]},
    read=_read_rules,
)


class DocumentCadenceLedger:
    """Implements CadenceLedger.

    StoreUnavailable if the whole database is unavailable, LedgerUnreadable for other problems.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._audit = DocumentAuditLog(documents)

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days and write the result of `change` in one transaction. A day that was never written is empty.

        Every write also touches the partition's own document, so two processes that write different days of a
        partition at the same time cannot both succeed.
        """
        whole = PARTITIONS.at(partition)
        places = {day: DAYS.at(partition, day) for day in days}

        def work(batch: Batch) -> T:
            stored = {day: batch.read(place) for day, place in places.items()}
            written, result = change({day: found.packed if found else b"" for day, found in stored.items()})
            for day, packed in written.items():
                batch.write(places[day], PackedDay(packed, day))
            if written:
                batch.touch(whole)
            return result

        with _unreadable(f"cadence ledger, partition {partition}"):
            return self._documents.change([whole, *places.values()], work)

    def rules(self) -> Sequence[CadenceRule]:
        with _unreadable("cadence rules"):
            return self._documents.get(RULES.at()) or ()

    def change_rules(
        self,
        declared: Sequence[CadenceRule],
        change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]],
        deed: Deed,
    ) -> Sequence[CadenceRule]:

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            before = in_force(declared, _read(batch))
            rules[:] = change(before)
            batch.write(RULES.at(), to_save(declared, rules))
            return rules_document(before), rules_document(rules)

        rules: list[CadenceRule] = []
        self._audit.change(SUBJECT, [RULES.at()], work, deed)
        return tuple(rules)


def _read(batch: Batch) -> Rules:
    return batch.read(RULES.at()) or ()


@contextmanager
def _unreadable(what: str) -> Iterator[None]:
    try:
        yield
    except (LedgerUnreadable, StoreUnavailable):
        raise
    except (Transient, Misconfigured, Unreadable) as error:
        raise LedgerUnreadable(f"{what}: {error}") from error
