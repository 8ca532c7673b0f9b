"""The entry of the hot path: send one shard of one push."""

from functions.domain.errors import Halted, NotFound, NotYet
from functions.domain.execution.execution import State
from functions.domain.push.outcomes import tally as tally_of
from functions.domain.push.shard import PushFiles, Shard, live_key
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.sending.assignment import delivery_of
from functions.usecases.sending.deliver import deliver
from functions.usecases.timeline.journal import note
from functions.usecases.timeline.send_push import push_due_at, push_files, shard_due_at
from functions.usecases.timeline.steps import Run, load_run


def send_shard(ports: Ports, execution_id: str, push: int, number: int) -> Shard | None:
    """Send the remaining rows of a shard, and return it; None if it must not send any more.

    For example, a worker dies after 2,000 of 5,000 rows. The queue delivers the task again, and `send_shard` sends
    the other rows: the rows under way at the crash are unknown, and are not sent again unless the recipe says so.
    NotYet before the shard is due and while another worker holds it; Transient if rows remain.
    """
    run, now = load_run(ports, execution_id), ports.clock.now()
    files = push_files(ports, run, push)
    shard = ports.shards.get(execution_id, live_key(push, number))
    if shard is None:
        raise NotFound(f"execution {execution_id} has no shard {number} of push {push}")
    due_at = shard_due_at(ports, push_due_at(run, push), files, shard)
    if shard.done or run.execution.state.final or run.too_late(due_at, now):
        return None
    if run.execution.state is not State.LIVE or now < due_at:
        raise NotYet(f"shard {number} of push {push}", due_at)
    try:
        shard = deliver(ports, delivery_of(ports, run, files, test=False), shard)
    except Halted:
        _note_stop(ports, run, files, shard)
        return None
    note(ports, execution_id, Phase.LIVE_EXECUTION, _words(run, files, shard))
    return shard


def _note_stop(ports: Ports, run: Run, files: PushFiles, shard: Shard) -> None:
    """Log how many requests were under way at the stop. No chunk has started since."""
    left = ports.shards.get(shard.execution_id, shard.key)
    if left is not None and left.tally.attempted:
        message = f"{_words(run, files, left)}; {left.under_way:,} were under way when it was stopped"
        note(ports, shard.execution_id, Phase.LIVE_EXECUTION, message, "warning")


def _words(run: Run, files: PushFiles, shard: Shard) -> str:
    tally = tally_of(shard.outcomes, run.execution.rule_bytes)
    part = "" if tally.audience_size == files.live.size else f", part {shard.number}"
    parts = [f"{tally.sent:,} of {tally.audience_size:,} users got it"]
    parts += [f"{tally.failed:,} failed"] if tally.failed else []
    parts += [f"{tally.unknown:,} have an unknown outcome"] if tally.unknown else []
    parts += [f"{reason.replace('_', ' ')} excluded {count:,}" for reason, count in tally.excluded.items()]
    return f"push {files.push} ({files.audience}{part}): {'; '.join(parts)}"
