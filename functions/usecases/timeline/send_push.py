"""T-0 and after: plan the shards of one push, and enqueue them."""

from datetime import datetime, timedelta

from functions.domain.audience.partition import groups
from functions.domain.errors import NotFound, NotYet
from functions.domain.execution.execution import State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.pace import sending_time
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.steps import Run, load_run, shard_task


def send_push(ports: Ports, execution_id: str, push: int, generation: int = 0) -> int:
    """Enqueue the shards of a push and return their number. Repeating it changes nothing.

    For example, an audience of 1,000,000 users and 20,000 users per shard (`Policy.shard_rows`) give about 50 shards,
    each due when FCM's quota allows it. The result is 0 if the execution has ended or the push is too late. NotYet
    before the push is due, or before the execution is live.
    """
    run, now = load_run(ports, execution_id), ports.clock.now()
    due_at = push_due_at(run, push)
    if run.execution.state.final:
        return 0
    if run.execution.state is not State.LIVE or now < due_at:
        raise NotYet(f"push {push}", max(due_at, run.window_over_at(ports.policy.limits.shortest_window)))
    if run.too_late(due_at, now):
        breach(ports, run.execution, Phase.LIVE_EXECUTION, _skipped(push, due_at, now), subject=str(push))
        return 0
    files = push_files(ports, run, push)
    shards = plan_shards(files, most_rows=ports.policy.shard_rows)
    for shard in shards:
        ports.shards.create(shard)
        at = shard_due_at(ports, due_at, files, shard)
        ports.tasks.add(shard_task(run, generation, push, shard.number, at))
    return len(shards)


def plan_shards(files: PushFiles, *, most_rows: int) -> list[Shard]:
    """Divide a push's audience into shards of whole partitions. The same audience always gives the same shards."""
    index = files.live.rows.index
    return [
        Shard(
            execution_id=files.execution_id,
            push=files.push,
            number=number,
            test=False,
            partitions=partitions,
            outcomes=b"." * index.rows_in(partitions),
        )
        for number, partitions in enumerate(groups(index, most_rows=most_rows), start=1)
    ]


def push_due_at(run: Run, push: int) -> datetime:
    """Return when a push is due; NotFound if the recipe has no such push."""
    if not 1 <= push <= len(run.timeline.push_at):
        raise NotFound(f"execution {run.execution.id} has no push {push}")
    return run.timeline.push_at[push - 1]


def push_files(ports: Ports, run: Run, push: int) -> PushFiles:
    """Return the manifest of a push; NotFound before its audience is built."""
    files = ports.shards.push(run.execution.id, push)
    if files is None:
        raise NotFound(f"push {push} of execution {run.execution.id} has no audience")
    return files


def shard_due_at(ports: Ports, push_due_at: datetime, files: PushFiles, shard: Shard) -> datetime:
    """Return when a shard is due: shards follow each other at the rate of FCM's quota."""
    rows_before = files.live.rows.index.rows_in(range(shard.partitions.start)) if shard.partitions.start else 0
    return push_due_at + sending_time(rows_before, ports.policy.send_rate)


def _skipped(push: int, due_at: datetime, now: datetime) -> Finding:
    late = (now - due_at) / timedelta(minutes=1)
    return Finding(
        type=ViolationType.TOO_LATE,
        severity=Severity.CRITICAL,
        message=f"push {push} is skipped: it comes {late:.0f} minutes after its due time",
        action="push skipped",
        data={"push": push, "minutesLate": round(late, 1)},
    )
