"""What is stored of the pushes of an execution: their manifests and their shards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from functions.domain.execution.execution import State
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard


class ShardStore(Protocol):
    """Shards, which workers share out among them by leases and versions, and the manifests of pushes."""

    def save_push(self, files: PushFiles) -> None:
        """Keep the manifest of a push."""
        ...

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        """Return the manifest of a push, None before its audience is built."""
        ...

    def create(self, shard: Shard) -> Shard:
        """Create a shard unless it exists; return the one that is stored."""
        ...

    def get(self, execution_id: str, key: str) -> Shard | None:
        """Return a shard by its key, None where there is none."""
        ...

    def progress(self, execution_id: str) -> Tally:
        """Return the sum of the tallies of an execution's live shards that are done, without reading each of them.

        Reasons for exclusions are summed up under the key "all".
        """
        ...

    def under_way(self, now: datetime) -> int:
        """Return how many shards of all executions a worker holds now, without reading each of them."""
        ...

    def save(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard on condition, in one transaction, and return it with its next version.

        The hot path: one read, of the execution's state, and one write, on condition of the shard's version. Raises
        Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has
        the version of the given one.
        """
        ...

    def settle(self, shard: Shard) -> Shard:
        """Write what is known of a shard whatever the execution's state; Conflict as in `save`."""
        ...

    def of(self, execution_id: str) -> Sequence[Shard]:
        """Return all shards of an execution."""
        ...
