"""The log and the violations of an execution, for people."""

from functions.domain.alerts.alert import breached
from functions.domain.errors import TminusError
from functions.domain.execution.execution import Execution
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.ports.executions import Level, LogEntry
from functions.usecases.alerting.alert import raise_alert


def note(ports: Ports, execution_id: str, phase: Phase, message: str, level: Level = "info") -> None:
    """Add a line to the execution's log, in words for marketers, with numbers."""
    entry = LogEntry(at=ports.clock.now(), phase=phase.value, level=level, message=message)
    ports.logs.add(execution_id, entry)


def breach(ports: Ports, execution: Execution, phase: Phase, finding: Finding, subject: str = "") -> None:
    """Record a violation, log it and raise an alert, once for the same finding about the same subject.

    The use case that ends an execution raises the alert about the end.
    """
    parts = [execution.id, finding.type.value, *([subject] if subject else [])]
    violation = Violation(
        id="-".join(parts),
        execution_id=execution.id,
        recipe_id=execution.recipe_id,
        finding=finding,
        at=ports.clock.now(),
    )
    if not finding.ends:
        raise_alert(ports, breached(violation, subject), execution.recipe)
    if ports.violations.record(violation):
        level: Level = "error" if finding.severity is Severity.CRITICAL else "warning"
        note(ports, execution.id, phase, finding.message, level)


def give_up(ports: Ports, execution_id: str, step: str, error: TminusError) -> None:
    """Record that a step failed in a way that a retry cannot fix. Do nothing for an unknown execution."""
    execution = ports.executions.get(execution_id)
    if execution is None:
        return
    finding = Finding(
        type=ViolationType.STEP_FAILED,
        severity=Severity.CRITICAL,
        message=f"{step} failed: {error}",
        action="the step is given up",
        data={"step": step},
    )
    phase = Phase.AUDIENCE_GENERATION if step == "build_audience" else Phase.LIVE_EXECUTION
    breach(ports, execution, phase, finding, subject=step)
