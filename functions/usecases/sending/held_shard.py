"""A shard in the hands of one worker: by a lease that others respect, and a version that others would fail on."""

from collections.abc import Callable
from dataclasses import replace

from functions.domain.errors import Conflict
from functions.domain.execution.execution import State
from functions.domain.push.shard import LEASE, Shard
from functions.ports import Ports


class HeldShard:
    """Holds a shard while sending it; `shard.outcomes` is always what is known, stored or about to be.

    `held_before` says whether another worker has had it, and may have reserved for rows that are still to be sent.
    """

    def __init__(self, ports: Ports, shard: Shard, *, only_while: State) -> None:
        self._ports, self._only_while, self.shard = ports, only_while, shard
        self.held_before = shard.version > 0

    def claim(self, ask: Callable[[Shard], Shard]) -> None:
        """Take the shard over from its last worker; Conflict where another worker holds it.

        `ask` looks for what became of the requests that were under way.
        """
        now = self._ports.clock.now()
        if self.shard.lease_until is not None and now < self.shard.lease_until:
            raise Conflict(f"shard {self.shard.key} of {self.shard.execution_id} is being sent by another worker")
        self.shard = ask(self.shard)
        self.save(self.shard.settled)

    def save(self, outcomes: bytes) -> None:
        """Store outcomes and renew the lease; Halted once the execution may not send any more."""
        lease = self._ports.clock.now() + LEASE
        written = replace(self.shard, outcomes=outcomes, lease_until=lease)
        self.shard = self._ports.shards.save(written, only_while=self._only_while)

    def know(self, outcomes: bytearray) -> None:
        """Remember outcomes; the next save stores them."""
        self.shard = replace(self.shard, outcomes=bytes(outcomes))

    def halted(self, *, under_way: int) -> None:
        """Remember how many rows were under way when the execution turned out to have been stopped."""
        self.shard = replace(self.shard, under_way=under_way)

    def let_go(self) -> None:
        """Store what is known, and let a later delivery have the shard at once."""
        settled = replace(self.shard, outcomes=self.shard.settled, lease_until=None)
        self.shard = self._ports.shards.settle(settled)
