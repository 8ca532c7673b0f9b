"""A shard held by one worker: others respect its lease, and their writes fail because of its version."""

from collections.abc import Callable
from dataclasses import replace

from functions.domain.errors import NotYet
from functions.domain.execution.execution import State
from functions.domain.push.shard import Shard
from functions.ports import Ports


class HeldShard:
    """Holds a shard while sending it. `shard.outcomes` always has all known outcomes, stored or not.

    `held_before` says whether another worker held it, which may have reserved for rows that still have to be sent.
    """

    def __init__(self, ports: Ports, shard: Shard, *, only_while: State) -> None:
        self._ports, self._only_while, self.shard = ports, only_while, shard
        self.held_before = shard.version > 0

    def claim(self, ask: Callable[[Shard], Shard]) -> None:
        """Claim the shard; NotYet while another worker holds it, and Conflict if another claims it first.

        `ask` finds the outcomes of requests that the last worker left open.
        """
        now = self._ports.clock.now()
        if self.shard.lease_until is not None and now < self.shard.lease_until:
            what = f"shard {self.shard.key} of {self.shard.execution_id}, which another worker is sending,"
            raise NotYet(what, self.shard.lease_until)
        self.shard = ask(self.shard)
        self.save(self.shard.settled)

    def save(self, outcomes: bytes) -> None:
        """Store outcomes and renew the lease; Halted if the execution has left the sending state."""
        lease = self._ports.clock.now() + self._ports.policy.lease
        written = replace(self.shard, outcomes=outcomes, lease_until=lease)
        self.shard = self._ports.shards.save(written, only_while=self._only_while)

    def know(self, outcomes: bytearray) -> None:
        """Remember outcomes, for the next `save`."""
        self.shard = replace(self.shard, outcomes=bytes(outcomes))

    def halted(self, *, under_way: int) -> None:
        """Remember how many rows were under way when the stop was noticed."""
        self.shard = replace(self.shard, under_way=under_way)

    def let_go(self) -> None:
        """Store all outcomes and release the lease, so that a later delivery can claim the shard at once."""
        settled = replace(self.shard, outcomes=self.shard.settled, lease_until=None)
        self.shard = self._ports.shards.settle(settled)
