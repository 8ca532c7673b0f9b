"""The stored pushes of an execution, also of one whose recipe this release cannot read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, takewhile

from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import RuleBytes, Tally
from functions.domain.push.shard import PushFiles, Shard, live_tally
from functions.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Built:
    """The manifests of an execution's pushes, in order, and its shards, read at one time.

    `rules` are the bytes of its cadence rules.
    """

    pushes: Sequence[PushFiles]
    shards: Sequence[Shard]
    rules: RuleBytes

    @property
    def live_shards(self) -> list[Shard]:
        """The shards of live audiences."""
        return [shard for shard in self.shards if not shard.test]

    @property
    def totals(self) -> Tally:
        """The users of all live audiences by outcome."""
        return live_tally(sum(files.live.size for files in self.pushes), self.shards, self.rules)


def read_built(ports: Ports, execution: Execution) -> Built:
    """Read the manifests and shards of an execution, each once."""
    pushes = built_pushes(ports, execution.id)
    return Built(pushes=pushes, shards=ports.shards.of(execution.id), rules=execution.rule_bytes)


def built_pushes(ports: Ports, execution_id: str) -> list[PushFiles]:
    """Return the manifests of the pushes whose audiences are built, in order: they are built one after another."""
    manifests = (ports.shards.push(execution_id, push) for push in count(1))
    return [files for files in takewhile(lambda files: files is not None, manifests) if files is not None]
