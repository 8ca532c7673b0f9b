"""T+10: conclude an execution, and delete what must not be kept."""

from contextlib import suppress

from functions.domain.alerts import finished
from functions.domain.delivery import Tally
from functions.domain.errors import BadAudience, BadRecipe, NotFound, NotPossible, NotYet
from functions.domain.execution import Execution, Kind, State
from functions.domain.pace import sending_time
from functions.domain.safeguards import Finding, Severity, ViolationType
from functions.domain.shard import PushFiles, Shard, live_tally
from functions.domain.timeline import CLEANUP_DELAY, Phase
from functions.ports import Ports
from functions.usecases.deliver import settle
from functions.usecases.delivery import Delivery
from functions.usecases.distinct_people import count_reached
from functions.usecases.journal import note
from functions.usecases.launch import end, expire
from functions.usecases.receipt import write_receipt
from functions.usecases.recipes import complete_recipe
from functions.usecases.steps import Run, load_run
from functions.usecases.tell import tell, tell_end

_PHASE = Phase.CLEANUP


def finish(ports: Ports, execution_id: str) -> Execution:
    """Bring an execution to its final state and clean up after it; a repeat returns it as it is.

    Shards that are still at work get until the lateness that the recipe allows is over, and ten minutes more.
    """
    run, now = load_run(ports, execution_id), ports.clock.now()
    if run.execution.cleaned:
        return run.execution
    if now < run.timeline.finish_at:
        raise NotYet("cleaning up", run.timeline.finish_at)
    if run.execution.state is State.LIVE:
        _conclude(ports, run)
    elif not run.execution.state.final:
        if not run.too_late(run.execution.send_at, now):
            raise NotYet("cleaning up before T-0 is settled", run.execution.send_at + run.lateness)
        expire(ports, run)
    execution = ports.executions.change(execution_id, lambda execution: execution.started(_PHASE, now))
    ports.files.delete(f"devices/{execution_id}")
    _settle_rest(ports, run)
    if run.execution.kind is not Kind.TEST:
        _write_receipt(ports, run)
        _complete_recipe(ports, run)
    reached = _reached(ports, run)
    _tell(ports, run, execution, reached)
    return _cleaned(ports, run, reached)


def _reached(ports: Ports, run: Run) -> int | None:
    """Return how many people were sent a live push; None where an audience can no longer be read."""
    try:
        return count_reached(ports, list(_manifests(ports, run).values()), ports.executions.shards(run.execution.id))
    except BadAudience:
        return None


def _tell(ports: Ports, run: Run, execution: Execution, reached: int | None) -> None:
    """Tell how it ended, and the totals of what went live: before it counts as cleaned up, so that both are told."""
    tell_end(ports, execution)
    if Phase.LIVE_EXECUTION in execution.phases:
        tell(ports, finished(execution, _tally(ports, run), reached), execution.recipe)


def _manifests(ports: Ports, run: Run) -> dict[int, PushFiles]:
    """Return the manifests of the pushes whose audiences were built, by push."""
    found = (ports.executions.push(run.execution.id, push) for push in range(1, len(run.recipe.pushes) + 1))
    return {files.push: files for files in found if files is not None}


def _conclude(ports: Ports, run: Run) -> None:
    now = ports.clock.now()
    tally = _tally(ports, run)
    if tally.not_reached or _at_work(ports, run):
        sending = sending_time(tally.audience_size, ports.policy.send_rate)
        bound = run.timeline.finish_at + run.lateness + CLEANUP_DELAY + sending
        if now < bound:
            raise NotYet(f"{tally.not_reached:,} users are still to be reached; cleaning up", bound)
    if tally.not_reached:
        end(ports, run, Phase.LIVE_EXECUTION, State.FAILED, _left_over(tally))
        return

    def complete(execution: Execution) -> Execution:
        if execution.state is not State.LIVE:
            return execution
        return execution.to(State.COMPLETED, now)

    ports.executions.change(run.execution.id, complete)


def _tally(ports: Ports, run: Run) -> Tally:
    size = sum(files.live.size for files in _manifests(ports, run).values())
    return live_tally(size, ports.executions.shards(run.execution.id))


def _at_work(ports: Ports, run: Run) -> bool:
    shards = ports.executions.shards(run.execution.id)
    return any(not shard.done and not shard.test for shard in shards)


def _left_over(tally: Tally) -> Finding:
    return Finding(
        type=ViolationType.NOT_REACHED,
        severity=Severity.CRITICAL,
        message=f"{tally.not_reached:,} of {tally.audience_size:,} users were not reached in time",
        action="failed",
        data={"notReached": tally.not_reached, "audienceSize": tally.audience_size},
    )


def _settle_rest(ports: Ports, run: Run) -> None:
    """Close the shards that no worker will close any more; their unsent users get their reservations back."""
    manifests = _manifests(ports, run)
    for shard in ports.executions.shards(run.execution.id):
        if not shard.done:
            _wait_for_worker(ports, shard)
            settle(ports, Delivery(run=run, files=manifests[shard.push], test=shard.test), shard)


def _write_receipt(ports: Ports, run: Run) -> None:
    """Write the receipt, unless the audience can no longer be read: cleaning up goes on without it then."""
    try:
        write_receipt(ports, run)
    except BadAudience as error:
        note(ports, run.execution.id, _PHASE, f"no receipt can be written: {error}", "warning")


def _wait_for_worker(ports: Ports, shard: Shard) -> None:
    if shard.lease_until is not None and ports.clock.now() < shard.lease_until:
        raise NotYet(f"shard {shard.key} is being sent; cleaning up", shard.lease_until)


def _complete_recipe(ports: Ports, run: Run) -> None:
    """Mark the recipe completed once it has no send left, such as a once-recipe after its send."""
    with suppress(NotFound, NotPossible, BadRecipe):  # what is broken by hand, reconciling reports
        complete_recipe(ports, run.recipe.id, by="finish")


def _cleaned(ports: Ports, run: Run, reached: int | None) -> Execution:
    now, tally = ports.clock.now(), _tally(ports, run)

    def change(execution: Execution) -> Execution:
        return execution.ended(_PHASE, now).clean(tally, reached)

    execution = ports.executions.change(run.execution.id, change)
    told = (
        f"{tally.sent:,} sent, {tally.failed:,} failed, {tally.unknown:,} unknown, {tally.not_reached:,} not reached"
    )
    told = "a test reaches the test users only" if execution.kind is Kind.TEST else told
    note(ports, execution.id, _PHASE, f"{execution.state.value}: {told}; device tokens deleted")
    return execution
