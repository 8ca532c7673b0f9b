"""Whether a live execution has anything left to send."""

from functions.domain.execution.execution import State
from functions.domain.push.outcomes import Tally
from functions.ports import Ports
from functions.usecases.timeline.built_pushes import built_pushes


def everyone_sent_to(ports: Ports, execution_id: str, state: State) -> bool:
    """Return whether all shards of a live execution are done, so that a stop changes nothing. It reads no shard.

    False in every other state.
    """
    if state is not State.LIVE:
        return False
    size = sum(files.live.size for files in built_pushes(ports, execution_id))
    return nothing_left(size, ports.shards.progress(execution_id))


def nothing_left(size: int, done: Tally) -> bool:
    """Return whether finished shards cover live audiences of `size` users, and reached all of them."""
    return done.audience_size == size and not done.not_reached
