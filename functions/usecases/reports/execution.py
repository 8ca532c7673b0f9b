"""The report of an execution, in numbers that add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Severity, Violation, ViolationType
from functions.domain.push.outcomes import RuleBytes, Tally, unknown_words
from functions.domain.push.shard import PushFiles, Shard, live_tally
from functions.domain.recipe.document import OnUnknown
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.reports.numbers import AllTotals, PushNumbers, all_totals
from functions.usecases.timeline.built_pushes import built_pushes
from functions.usecases.timeline.steps import Run, load_execution, run_or_problem


@dataclass(frozen=True, kw_only=True)
class PhaseTimes:
    """The planned start of a phase, and its actual start and end."""

    phase: Phase
    planned_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ViolationShown:
    """A breach of a safeguard."""

    id: str
    execution_id: str
    recipe_id: str
    type: ViolationType
    severity: Severity
    message: str
    data: Mapping[str, object]
    at: datetime
    resolved: bool
    resolved_at: datetime | None
    resolved_by: str
    resolved_note: str
    """What the person wrote who resolved it; empty if nothing."""
    action_taken: str


@dataclass(frozen=True, kw_only=True)
class ExecutionReport:
    """An execution with its phases, pushes and violations.

    `problem` says why this release cannot read it. Fields that come from its recipe are null then.
    """

    execution_id: str
    recipe_id: str
    status: State
    reason: str
    send_at: datetime
    window_ends_at: datetime | None
    """The earliest end of the time to cancel; null if it cannot be cancelled."""
    dry_run: bool | None
    problem: str | None
    unknown_why: str | None
    """Why outcomes are unknown, and what settings.onUnknown does about it."""
    timeline: Sequence[PhaseTimes]
    pushes: Sequence[PushNumbers]
    violations: Sequence[ViolationShown]
    totals: AllTotals


def report(ports: Ports, execution_id: str) -> ExecutionReport:
    """Return an execution's timeline, pushes, violations and totals.

    For every push, counted in users: audience size = sum(excluded) + sent + failed + unknown + not reached. Users
    under way when a stop was noticed are included, by their outcomes. The totals sum the pushes, so they count a user
    once for each push. `people` and `people_reached` count each user once; see Execution.

    If this release cannot read the execution, `problem` says why. Fields that come from the recipe are None then, and
    pushes that were not built are missing.
    """
    execution = load_execution(ports, execution_id)
    shards, violations = ports.shards.of(execution_id), ports.violations.of(execution_id)
    return report_of(ports, execution, run_or_problem(execution), shards, violations)


def report_of(
    ports: Ports,
    execution: Execution,
    known: tuple[Run | None, str],
    shards: Sequence[Shard],
    violations: Sequence[Violation],
) -> ExecutionReport:
    """Return the report of an execution from what the caller has read; see `report`.

    `known` is the result of `run_or_problem`.
    """
    run, problem = known
    pushes = _pushes(ports, execution, run, shards)
    total = sum((tally for _, tally in pushes), Tally())
    resend = run is not None and run.recipe.settings.on_unknown is OnUnknown.RESEND
    return ExecutionReport(
        execution_id=execution.id,
        recipe_id=execution.recipe_id,
        status=execution.state,
        reason=execution.reason,
        send_at=execution.send_at,
        window_ends_at=_window_ends_at(ports, run),
        dry_run=run.recipe.test_mode if run else None,
        problem=problem or None,
        unknown_why=unknown_words(total, resend=resend),
        timeline=[_phase(execution, run, phase) for phase in Phase],
        pushes=[numbers for numbers, _ in pushes],
        violations=[shown_violation(violation) for violation in violations],
        totals=all_totals(execution, [numbers for numbers, _ in pushes], total),
    )


def shown_violation(violation: Violation) -> ViolationShown:
    """Return a violation in the form that people see, with its time in whole seconds."""
    finding = violation.finding
    return ViolationShown(
        id=violation.id,
        execution_id=violation.execution_id,
        recipe_id=violation.recipe_id,
        type=finding.type,
        severity=finding.severity,
        message=finding.message,
        data=finding.data,
        at=violation.at.replace(microsecond=0),
        resolved=violation.resolved,
        resolved_at=violation.resolved_at,
        resolved_by=violation.resolved_by,
        resolved_note=violation.note,
        action_taken=finding.action,
    )


def _window_ends_at(ports: Ports, run: Run | None) -> datetime | None:
    """Return the earliest end of the time to cancel; None if people cannot cancel, or it is not known yet."""
    if run is None or run.execution.state.final or run.execution.state is State.LIVE or run.execution.waiting:
        return None
    return run.window_over_at(ports.policy.limits.shortest_window)


def pushes_of(ports: Ports, execution: Execution, run: Run | None) -> list[PushNumbers]:
    """Return the numbers of each push of an execution, as in `report`."""
    shards = ports.shards.of(execution.id)
    return [numbers for numbers, _ in _pushes(ports, execution, run, shards)]


def _pushes(
    ports: Ports, execution: Execution, run: Run | None, shards: Sequence[Shard]
) -> list[tuple[PushNumbers, Tally]]:
    built = {files.push: files for files in built_pushes(ports, execution.id)}
    pushes = range(1, len(run.recipe.pushes) + 1) if run else sorted(built)
    return [
        _push(run, push, built.get(push), [one for one in shards if one.push == push], execution.rule_bytes)
        for push in pushes
    ]


def _phase(execution: Execution, run: Run | None, phase: Phase) -> PhaseTimes:
    times = execution.phases.get(phase)
    return PhaseTimes(
        phase=phase,
        planned_at=run.timeline.due(phase) if run else None,
        started_at=times.started_at if times else None,
        ended_at=times.ended_at if times else None,
    )


def _push(
    run: Run | None, push: int, files: PushFiles | None, mine: Sequence[Shard], rules: RuleBytes
) -> tuple[PushNumbers, Tally]:
    tally = live_tally(files.live.size if files else 0, mine, rules)
    written = run.recipe.pushes[push - 1] if run else None
    named = written.audience_name if written else ""
    numbers = PushNumbers(
        order=push,
        audience=files.audience if files else named,
        layer=written.layer_id if written else None,
        due_at=run.timeline.push_at[push - 1] if run else None,
        audience_size=tally.audience_size,
        test_sent=sum(shard.tally.sent for shard in mine if shard.test),
        under_way_at_stop=sum(shard.under_way for shard in mine if not shard.test),
        excluded=tally.excluded,
        sent=tally.sent,
        failed=tally.failed,
        unknown=tally.unknown,
        not_reached=tally.not_reached,
    )
    return numbers, tally
