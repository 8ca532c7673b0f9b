"""After a restore: end every send that may have gone out since the backup, so that no user gets a push twice.

A backup does not know what happened after it: what was sent, cancelled or stopped. So a send whose preparation began
before the restore is not sent. Its users count as possibly reached in receipts and in the cadence ledger.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile

from functions.domain.errors import BadRecipe, Unreadable
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.ids import execution_id
from functions.domain.instants import stamp
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.sending.assignment import delivery_of
from functions.usecases.sending.deliver import count_as_lost, settle
from functions.usecases.timeline.built_pushes import built_pushes
from functions.usecases.timeline.clean_up import clean_up
from functions.usecases.timeline.end_unreadable import end_unreadable
from functions.usecases.timeline.ending import end
from functions.usecases.timeline.launch import create
from functions.usecases.timeline.missed import LOOK_BACK
from functions.usecases.timeline.send_push import plan_shards, push_due_at, shard_due_at
from functions.usecases.timeline.steps import Run, read_run


def end_sends_since(ports: Ports, backed_up_at: datetime) -> list[Execution]:
    """End every execution that was running at the backup or began since; return them in order of their sends.

    Their state is STOPPED, with a reason. Rows that were due and have no outcome in the backup are unknown. Rows that
    were not due yet are not reached. Nothing is sent.
    """
    ended = [_end(ports, execution, backed_up_at) for execution in [*_under_way(ports), *_since(ports, backed_up_at)]]
    return sorted(ended, key=lambda execution: (execution.send_at, execution.id))


def _under_way(ports: Ports) -> list[Execution]:
    return [execution for execution in ports.executions.unfinished() if not execution.state.final]


def _since(ports: Ports, backed_up_at: datetime) -> Iterator[Execution]:
    """Create the executions of sends that started since the backup, so that nothing starts them late."""
    for document in ports.recipes.all():
        with suppress(BadRecipe):  # reconcile reports it, and nothing starts it
            recipe = read(document)
            for send_at in list(_started_since(ports, recipe, backed_up_at)):
                yield create(ports, recipe, send_at, Kind.SCHEDULED)


def _started_since(ports: Ports, recipe: Recipe, backed_up_at: datetime) -> Iterator[datetime]:
    """Yield the sends of a recipe that started since the day before the backup and have no execution.

    If the beginning of the schedule is unknown, as after an edit in the store, only sends that could still start late
    count.
    """
    if not recipe.is_active:
        return
    now, lateness = ports.clock.now(), timedelta(minutes=recipe.settings.max_lateness_minutes)
    look_back = lateness if recipe.first_send_at is None else LOOK_BACK
    for send_at in takewhile(lambda at: at - recipe.schedule.lead < now, recipe.sends(backed_up_at - look_back)):
        if ports.executions.get(execution_id(recipe.id, send_at)) is None:
            yield send_at


def _end(ports: Ports, execution: Execution, backed_up_at: datetime) -> Execution:
    try:
        run = read_run(execution)
    except Unreadable as error:
        return end_unreadable(ports, execution.id, str(error))
    now = ports.clock.now()
    _void_leases(ports, execution)
    if execution.kind is not Kind.TEST and not run.recipe.test_mode:
        if execution.send_at <= now:  # it may have gone live, so starting it by hand today is refused
            ports.executions.change(execution.id, lambda current: current.started(Phase.LIVE_EXECUTION, now))
        _count_due_as_lost(ports, run)
    end(ports, run, Phase.CLEANUP, State.STOPPED, _finding(backed_up_at, now))
    return clean_up(ports, execution.id, partial(_settle, ports, run))


def _finding(backed_up_at: datetime, now: datetime) -> Finding:
    return Finding(
        type=ViolationType.RESTORED,
        severity=Severity.CRITICAL,
        message=f"restored from a backup of {backed_up_at:%Y-%m-%d %H:%M:%S} UTC: what was sent after that is not "
        "known, so nothing more of this send goes out",
        action="stopped",
        data={"backedUpAt": stamp(backed_up_at), "restoredAt": stamp(now)},
    )


def _void_leases(ports: Ports, execution: Execution) -> None:
    """Remove the leases of workers, which no longer exist after a restore."""
    for shard in ports.shards.of(execution.id):
        if shard.lease_until is not None:
            ports.shards.settle(replace(shard, lease_until=None))


def _count_due_as_lost(ports: Ports, run: Run) -> None:
    """Close the shards that were due, with every row as possibly sent."""
    now = ports.clock.now()
    for files in built_pushes(ports, run.execution.id):
        due_at = push_due_at(run, files.push)
        for planned in plan_shards(files, most_rows=ports.policy.shard_rows):
            if shard_due_at(ports, due_at, files, planned) <= now:
                shard = ports.shards.create(planned)
                count_as_lost(ports, delivery_of(ports, run, files, test=False), shard)


def _settle(ports: Ports, run: Run, files: PushFiles, shard: Shard) -> Shard:
    close_one = count_as_lost if shard.test else settle
    return close_one(ports, delivery_of(ports, run, files, test=shard.test), shard)
