"""T+10: end an execution, and delete its device tokens."""

from functools import partial

from functions.domain.errors import NotYet
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.pace import sending_time
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.timeline import CLEANUP_DELAY, Phase
from functions.ports import Ports
from functions.usecases.sending.assignment import delivery_of
from functions.usecases.sending.deliver import settle
from functions.usecases.timeline.built_pushes import Built, read_built
from functions.usecases.timeline.clean_up import clean_up
from functions.usecases.timeline.ending import end, expire
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.steps import Run, load_run
from functions.usecases.timeline.warn_of_exclusion import warn_of_sent
from functions.usecases.timeline.wrong_setting import setting_finding, wrong_setting


def finish(ports: Ports, execution_id: str) -> Execution:
    """Move an execution to its final state and clean up after it; a repeat returns it unchanged.

    Running shards may finish until the recipe's allowed lateness is over, plus ten minutes. For example, an execution
    whose last push is at T+4 becomes COMPLETED at T+14: its device tokens are deleted, its receipt is stored, and its
    totals are reported. NotYet before that.
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
            settled_at = run.execution.send_at + run.lateness
            raise NotYet("cleaning up before T-0 is settled", settled_at, perhaps_sooner=True)
        expire(ports, run)
    return clean_up(ports, execution_id, partial(_settle, ports, run))


def _settle(ports: Ports, run: Run, files: PushFiles, shard: Shard) -> Shard:
    """Close a shard, and record violations that its worker did not live to record."""
    wrong = wrong_setting(ports, shard, at_the_end=True)
    if wrong is not None:
        breach(ports, run.execution, Phase.CLEANUP, setting_finding(wrong, "none; the execution was over"))
    return settle(ports, delivery_of(ports, run, files, test=shard.test), shard)


def _conclude(ports: Ports, run: Run) -> None:
    now = ports.clock.now()
    for violation in ports.violations.of(run.execution.id):
        if violation.finding.action == State.STOPPED:  # its worker died before it stopped the execution
            end(ports, run, Phase.LIVE_EXECUTION, State.STOPPED, violation.finding)
            return
    built = read_built(ports, run.execution)
    tally = built.totals
    if tally.not_reached or work_left(built):
        sending = sending_time(tally.audience_size, ports.policy.send_rate)
        bound = run.timeline.finish_at + run.lateness + CLEANUP_DELAY + sending
        if now < bound:
            rest = f"{tally.not_reached:,} messages are still to be sent"
            raise NotYet(f"{rest}; cleaning up", bound, perhaps_sooner=True)
    if tally.not_reached:
        end(ports, run, Phase.LIVE_EXECUTION, State.FAILED, _left_over(tally))
        return

    warn_of_sent(ports, run, built)

    def complete(execution: Execution) -> Execution:
        if execution.state is not State.LIVE:
            return execution
        return execution.to(State.COMPLETED, now)

    ports.executions.change(run.execution.id, complete)


def work_left(built: Built) -> bool:
    """Return whether a worker may still be sending: some live shard is not done."""
    return any(not shard.done for shard in built.live_shards)


def _left_over(tally: Tally) -> Finding:
    return Finding(
        type=ViolationType.NOT_REACHED,
        severity=Severity.CRITICAL,
        message=f"{tally.not_reached:,} of {tally.audience_size:,} messages were not sent in time",
        action="failed",
        data={"notReached": tally.not_reached, "audienceSize": tally.audience_size},
    )
