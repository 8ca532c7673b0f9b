"""Counts the Google Cloud operations of port calls, from one table of assumptions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

from functions.domain.cadence.rules import CadenceRule
from functions.ports import Ports
from functions.ports.stores import CadenceLedger

T = TypeVar("T")
_INDEX_ENTRIES_A_READ = 1_000


@dataclass
class Operations:
    """Billed operations: documents read, written, deleted; tasks added; Cloud Storage's classes A and B."""

    reads: int = 0
    writes: int = 0
    deletes: int = 0
    tasks: int = 0
    storage_a: int = 0
    storage_b: int = 0

    def add(self, more: "Operations") -> None:
        """Add other operations to these."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(more, field.name))

    @property
    def documents(self) -> int:
        """All operations on documents."""
        return self.reads + self.writes + self.deletes

    def document(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


_READ, _WRITE = Operations(reads=1), Operations(writes=1)
_READ_WRITE = Operations(reads=1, writes=1)
Cost = Operations | Callable[[tuple[Any, ...], Any], Operations]


def _each_read(_: tuple[Any, ...], found: Any) -> Operations:
    return Operations(reads=max(1, len(found)))


COSTS: Mapping[str, Cost] = {
    # Firestore bills each document read or written, one read for a missing document or an empty query, and one read
    # for every 1,000 index entries of an aggregation: cloud.google.com/firestore/pricing.
    "recipes.get": _READ,
    "recipes.all": _each_read,
    "segments.get": _READ,
    "segments.all": _each_read,
    "segments.change": _READ_WRITE,
    "recipes.change": Operations(reads=2, writes=2),  # the document and its plan
    "recipes.plans": _each_read,
    "recipes.page": _each_read,
    "recipes.plan": Operations(reads=2, writes=1),
    "executions.create": _READ_WRITE,
    "executions.get": _READ,
    "executions.change": _READ_WRITE,
    "executions.unfinished": _each_read,
    "executions.search": _each_read,
    "shards.save_push": _READ_WRITE,
    "shards.push": _READ,
    "shards.pushes": lambda arguments, _: Operations(reads=len(arguments[0])),
    "shards.create": _READ_WRITE,
    "shards.get": _READ,
    "shards.of": _each_read,
    "shards.progress": _READ,  # a sum to which each finished shard adds
    "shards.under_way": lambda _, held: Operations(reads=1 + held // _INDEX_ENTRIES_A_READ),
    "shards.save": _READ_WRITE,  # the execution's state, then a conditional write
    "shards.settle": Operations(reads=1, writes=2),  # the second write updates the sum when the shard is finished
    "executions.accounted_until": _READ,
    "executions.account_until": _READ_WRITE,
    "executions.count": lambda _, found: Operations(reads=1 + found // _INDEX_ENTRIES_A_READ),
    "logs.add": _WRITE,
    "logs.of": _each_read,
    "violations.record": _WRITE,
    "violations.of": _each_read,
    "violations.unresolved": _each_read,
    "devices.graves": lambda arguments, _: Operations(reads=len(arguments[0])),
    "devices.bury": _READ_WRITE,
    # Cloud Storage: writes and listings are class A, reads are class B, deletions are free.
    "files.write_once": Operations(storage_a=1),
    "files.lines": Operations(storage_b=1),
    "files.read": Operations(storage_b=1),
    "files.delete": Operations(storage_a=1),
    "files.names": Operations(storage_a=1),
    "files.find": Operations(storage_b=1),
    "files.remove": Operations(),
    "files.expire": Operations(),  # the bucket's lifecycle does it
    "tasks.add": Operations(tasks=1),
    "alerts.send": Operations(),
    "alert_store.record": _WRITE,
    "alert_store.change": _READ_WRITE,
    "alert_store.waiting": _each_read,
    "audit.newest": _each_read,
    "audit.of_recipe": _each_read,
    "audit.add": _READ_WRITE,
    "testers.all": _READ,
    "testers.change": _READ_WRITE,
    "accesses.add": _WRITE,
    "accesses.newest": _each_read,
    "accesses.key": _READ,
}
"""The cost of a call. The ledger's calls are counted by the documents they touch, including the partition's own."""


def counted(ports: Ports, counts: Operations) -> Ports:
    """Return ports that add the cost of each call to `counts`. A call missing in the table raises KeyError."""
    names = (
        "recipes",
        "segments",
        "executions",
        "shards",
        "logs",
        "violations",
        "devices",
        "files",
        "tasks",
        "alerts",
        "alert_store",
        "audit",
        "accesses",
        "testers",
    )
    wrapped: dict[str, Any] = {name: _Counted(name, getattr(ports, name), counts) for name in names}
    ledger: Any = _CountedLedger(ports.ledger, counts)
    return replace(ports, ledger=ledger, **wrapped)


class _Counted:
    """Any port; looks its calls up by name."""

    def __init__(self, role: str, port: Any, counts: Operations) -> None:
        self._role, self._port, self._counts = role, port, counts

    def __getattr__(self, name: str) -> Any:
        method, cost = getattr(self._port, name), COSTS[f"{self._role}.{name}"]

        def call(*arguments: Any, **named: Any) -> Any:
            result = method(*arguments, **named)
            self._counts.add(cost if isinstance(cost, Operations) else cost(arguments, result))
            return result

        return call


class _CountedLedger:
    def __init__(self, ledger: CadenceLedger, counts: Operations) -> None:
        self._ledger, self._counts = ledger, counts

    def rules(self) -> Sequence[CadenceRule]:
        self._counts.add(_READ)
        return self._ledger.rules()

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        def counting(stored: Mapping[date, bytes]) -> tuple[Mapping[date, bytes], T]:
            written, result = change(stored)
            self._counts.add(Operations(reads=len(days) + 1, writes=len(written) + bool(written)))
            return written, result

        return self._ledger.transact(partition, days, counting)
