"""What an execution has built, as it is stored: also for one whose recipe this release cannot read."""

from itertools import count, takewhile

from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, live_tally
from functions.ports import Ports


def built_pushes(ports: Ports, execution_id: str) -> list[PushFiles]:
    """Return the manifests of the pushes whose audiences are built, in order: they are built one after the other."""
    manifests = (ports.shards.push(execution_id, push) for push in count(1))
    return [files for files in takewhile(lambda files: files is not None, manifests) if files is not None]


def live_totals(ports: Ports, execution_id: str) -> Tally:
    """Return what became of the users of all live audiences."""
    size = sum(files.live.size for files in built_pushes(ports, execution_id))
    return live_tally(size, ports.shards.of(execution_id))
