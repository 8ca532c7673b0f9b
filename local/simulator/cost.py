"""What the calls of a run would cost on Google Cloud, at list prices in us-central1, before what is free."""

from dataclasses import dataclass

_READ, _WRITE = 300, 900
"""Nano-dollars a document read, and written: cloud.google.com/firestore/pricing ($0.03, $0.09 for 100,000)."""
_TASK = 400
"""Nano-dollars a Cloud Tasks operation: cloud.google.com/tasks/pricing ($0.40 for a million)."""
_STORE, _FETCH = 5_000, 400
"""Nano-dollars a Cloud Storage write, and read: cloud.google.com/storage/pricing ($0.005, $0.0004 for 1,000)."""
_DAYS_READ = 8
"""Ledger days that one transaction reads."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """Billed operations; FCM itself costs nothing."""

    document_reads: int = 0
    document_writes: int = 0
    task_operations: int = 0
    file_writes: int = 0
    file_reads: int = 0

    def __add__(self, other: "Use") -> "Use":
        """Add two uses."""
        return Use(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    @property
    def micro_dollars(self) -> int:
        """What they cost together, without the functions' time."""
        nano = self.document_reads * _READ + self.document_writes * _WRITE + self.task_operations * _TASK
        return (nano + self.file_writes * _STORE + self.file_reads * _FETCH) // 1_000


_NOTHING = Use()
_OF_CALL = {
    "recipes.get": Use(document_reads=1),
    "recipes.all": Use(document_reads=1),
    "recipes.change": Use(document_reads=1, document_writes=1),
    "executions.create": Use(document_writes=1),
    "executions.get": Use(document_reads=1),
    "executions.change": Use(document_reads=1, document_writes=1),
    "executions.unfinished": Use(document_reads=1),
    "executions.of_recipe": Use(document_reads=1),
    "executions.save_push": Use(document_writes=1),
    "executions.push": Use(document_reads=1),
    "executions.create_shard": Use(document_reads=1, document_writes=1),
    "executions.shard": Use(document_reads=1),
    "executions.progress": Use(document_reads=1),
    "executions.shards_under_way": Use(document_reads=1),
    "executions.save_shard": Use(document_reads=1, document_writes=1),
    "executions.settle_shard": Use(document_writes=1),
    "executions.shards": Use(document_reads=1),
    "executions.log": Use(document_writes=1),
    "executions.record": Use(document_writes=1),
    "ledger.transact": Use(document_reads=_DAYS_READ, document_writes=1),
    "ledger.rules": Use(document_reads=1),
    "devices.graves": Use(document_reads=1),
    "devices.bury": Use(document_reads=1, document_writes=1),
    "tasks.add": Use(task_operations=2),
    "files.write_once": Use(file_writes=1),
    "files.read": Use(file_reads=1),
    "files.lines": Use(file_reads=1),
}


def use_of_call(call: str) -> Use:
    """Return what one call of a port is billed as, about."""
    return _OF_CALL.get(call, _NOTHING)
