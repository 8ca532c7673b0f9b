"""The store of pushes: their manifests and their shards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from functions.domain.execution.execution import State
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard


class ShardStore(Protocol):
    """Stores the manifests of pushes, and their shards, which workers claim by leases and versions."""

    def save_push(self, files: PushFiles) -> None:
        """Store the manifest of a push."""
        ...

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        """Return the manifest of a push; None before its audience is built."""
        ...

    def pushes(self, wanted: Sequence[tuple[str, int]]) -> Sequence[PushFiles | None]:
        """Return the manifests of many pushes, given by execution and number, in that order and in one call."""
        ...

    def create(self, shard: Shard) -> Shard:
        """Create a shard unless it exists, and return the stored one."""
        ...

    def get(self, execution_id: str, key: str) -> Shard | None:
        """Return a shard by its key; None if there is none."""
        ...

    def progress(self, execution_id: str) -> Tally:
        """Return the sum of the tallies of an execution's finished live shards, without reading each of them.

        Reasons for exclusions are summed up under the key "all".
        """
        ...

    def under_way(self, now: datetime) -> int:
        """Count the shards of all executions that workers hold now, without reading each of them."""
        ...

    def save(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard conditionally, in one transaction, and return it with its next version.

        This is the hot path: one read of the execution's state, and one write on condition of the shard's version.
        Raises Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has the
        version of the given one.
        """
        ...

    def settle(self, shard: Shard) -> Shard:
        """Write a shard in any state of the execution; Conflict as in `save`."""
        ...

    def of(self, execution_id: str) -> Sequence[Shard]:
        """Return all shards of an execution."""
        ...
