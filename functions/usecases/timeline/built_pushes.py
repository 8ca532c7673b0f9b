"""The stored pushes of an execution, also of one whose recipe this release cannot read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, takewhile

from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard, live_tally
from functions.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Built:
    """The manifests of an execution's pushes, in order, and its shards, read at one time."""

    pushes: Sequence[PushFiles]
    shards: Sequence[Shard]

    @property
    def live_shards(self) -> list[Shard]:
        """The shards of live audiences."""
        return [shard for shard in self.shards if not shard.test]

    @property
    def totals(self) -> Tally:
        """The users of all live audiences by outcome."""
        return live_tally(sum(files.live.size for files in self.pushes), self.shards)


def read_built(ports: Ports, execution_id: str) -> Built:
    """Read the manifests and shards of an execution, each once."""
    pushes = built_pushes(ports, execution_id)
    return Built(pushes=pushes, shards=ports.shards.of(execution_id))


def built_pushes(ports: Ports, execution_id: str) -> list[PushFiles]:
    """Return the manifests of the pushes whose audiences are built, in order: they are built one after another."""
    manifests = (ports.shards.push(execution_id, push) for push in count(1))
    return [files for files in takewhile(lambda files: files is not None, manifests) if files is not None]
