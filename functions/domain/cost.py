"""What Google Cloud bills for: operations and compute at list prices in us-central1, before what is free."""

from dataclasses import dataclass

from functions.domain.audience.partition import PARTITIONS

READ, WRITE = 300, 900
"""Nano-dollars a document read, and written: cloud.google.com/firestore/pricing ($0.03, $0.09 for 100,000)."""
TASK = 400
"""Nano-dollars a Cloud Tasks operation: cloud.google.com/tasks/pricing ($0.40 for a million)."""
STORE, FETCH = 5_000, 400
"""Nano-dollars a Cloud Storage write, and read: cloud.google.com/storage/pricing ($0.005, $0.0004 for 1,000)."""
_SECOND = 25_000
"""Nano-dollars a second of one vCPU and half a GiB: cloud.google.com/run/pricing ($0.000024 and $0.0000025)."""
DAYS_READ = 8
"""Ledger days that one transaction reads."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """Billed operations; FCM itself costs nothing."""

    document_reads: int = 0
    document_writes: int = 0
    task_operations: int = 0
    file_writes: int = 0
    file_reads: int = 0
    seconds: int = 0

    def __add__(self, other: "Use") -> "Use":
        """Add two uses."""
        return Use(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    @property
    def micro_dollars(self) -> int:
        """What they cost together."""
        nano = self.document_reads * READ + self.document_writes * WRITE + self.task_operations * TASK
        nano += self.seconds * _SECOND
        return (nano + self.file_writes * STORE + self.file_reads * FETCH) // 1_000


def use_of_push(users: int, *, capped: bool, shard_rows: int, chunk_rows: int, per_second: int) -> Use:
    """Estimate what sending one push to a number of users uses, by what each shard, chunk and partition does.

    `capped`: whether cadence rules can hold it back.
    """
    shards = -(-users // shard_rows)
    chunks = -(-users // chunk_rows) + shards
    partitions = min(users, PARTITIONS) if capped else 0
    return Use(
        document_reads=DAYS_READ * partitions + chunks + 4 * shards,
        document_writes=partitions + chunks + 3 * shards,
        task_operations=2 * (shards + 1),
        file_writes=4,
        file_reads=2 * shards,
        seconds=-(-users // per_second),
    )
