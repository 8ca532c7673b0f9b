"""End an execution: expired, blocked, stopped or failed, with the violation that says why."""

from datetime import timedelta

from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_end_alert
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.steps import Run


def expire(ports: Ports, run: Run) -> Execution:
    """End an execution whose live phase would start too late: no send is better than a stale one."""
    now = ports.clock.now()
    late = (now - run.execution.send_at) / timedelta(minutes=1)
    allowed = run.recipe.settings.max_lateness_minutes
    missed = run.too_late(run.execution.send_at, run.execution.created_at)
    delay = f"{late:.0f} minutes after its send time, {allowed} are allowed (settings.maxLatenessMinutes)"
    waited = run.execution.waiting
    delay += f"; it waited its turn from {waited.since:%H:%M} UTC on" if waited else ""
    finding = Finding(
        type=ViolationType.MISSED if missed else ViolationType.TOO_LATE,
        severity=Severity.CRITICAL,
        message=f"the send was missed: nothing started it until {delay}" if missed else delay,
        action="expired",
        data={"minutesLate": round(late, 1)},
    )
    return end(ports, run, Phase.LIVE_EXECUTION, State.EXPIRED, finding)


def block(ports: Ports, run: Run, phase: Phase, finding: Finding) -> Execution:
    """End an execution before T-0 because a safeguard was breached."""
    return end(ports, run, phase, State.BLOCKED, finding)


def end(ports: Ports, run: Run, phase: Phase, state: State, finding: Finding, *, subject: str = "") -> Execution:
    """Record a violation and move to its final state, unless the execution has already ended."""
    now = ports.clock.now()
    breach(ports, run.execution, phase, finding, subject)

    def change(execution: Execution) -> Execution:
        return execution if execution.state.final else execution.to(state, now, finding.message)

    ended = ports.executions.change(run.execution.id, change)
    raise_end_alert(ports, ended)
    return ended
