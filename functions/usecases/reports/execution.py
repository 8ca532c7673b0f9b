"""What an execution did, in numbers that add up."""

from collections.abc import Sequence
from typing import Any

from functions.domain.execution.execution import Execution, PhaseTimes, State
from functions.domain.execution.safeguards import Violation
from functions.domain.instants import stamp
from functions.domain.push.outcomes import Tally, unknown_words
from functions.domain.push.shard import PushFiles, Shard, live_tally
from functions.domain.recipe.document import OnUnknown
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.built_pushes import built_pushes
from functions.usecases.timeline.steps import Run, load_execution, run_or_problem


def report(ports: Ports, execution_id: str) -> dict[str, Any]:
    """Return an execution's timeline, pushes, violations and totals.

    For every push, counted in users: audienceSize = sum(excluded) + sent + failed + unknown + notReached. Those under
    way when a stop was noticed are among them, as what became of them. The totals add pushes up, so that they count a
    user once for each push, as messages; `people` and `peopleReached` count each user once: see Execution.

    Where this release cannot read the execution, `problem` says why. What only its recipe says is None then, and
    pushes that were not built are left out.
    """
    execution = load_execution(ports, execution_id)
    shards, violations = ports.shards.of(execution_id), ports.violations.of(execution_id)
    return report_of(ports, execution, shards, violations)


def report_of(
    ports: Ports, execution: Execution, shards: Sequence[Shard], violations: Sequence[Violation]
) -> dict[str, Any]:
    """Return the report of an execution as it was read, with its shards and violations: see report."""
    run, problem = run_or_problem(execution)
    pushes = _pushes(ports, execution, run, shards)
    total = sum((tally for _, tally in pushes), Tally())
    resend = run is not None and run.recipe.settings.on_unknown is OnUnknown.RESEND
    return {
        "executionId": execution.id,
        "recipeId": execution.recipe_id,
        "status": execution.state.value,
        "reason": execution.reason,
        "sendAt": stamp(execution.send_at),
        "windowEndsAt": _window_ends_at(ports, run),
        "dryRun": run.recipe.test_mode if run else None,
        "problem": problem or None,
        "unknownWhy": unknown_words(total, resend=resend),
        "timeline": [_phase(execution, run, phase) for phase in Phase],
        "pushes": [numbers for numbers, _ in pushes],
        "violations": [violation.document() for violation in violations],
        "totals": {
            "people": execution.people,
            "peopleReached": execution.people_reached,
            "audienceSize": sum(numbers["audienceSize"] for numbers, _ in pushes),
            "testSent": sum(numbers["testSent"] for numbers, _ in pushes),
            **_numbers(total),
        },
    }


def _window_ends_at(ports: Ports, run: Run | None) -> str | None:
    """Return until when people can cancel at least, None where they cannot or nobody knows yet."""
    if run is None or run.execution.state.final or run.execution.state is State.LIVE or run.execution.waiting:
        return None
    return stamp(run.window_over_at(ports.policy.limits.shortest_window))


def pushes_of(ports: Ports, execution: Execution, run: Run | None) -> list[dict[str, Any]]:
    """Return what became of each push of an execution, as `report` has it."""
    shards = ports.shards.of(execution.id)
    return [numbers for numbers, _ in _pushes(ports, execution, run, shards)]


def _pushes(
    ports: Ports, execution: Execution, run: Run | None, shards: Sequence[Shard]
) -> list[tuple[dict[str, Any], Tally]]:
    built = {files.push: files for files in built_pushes(ports, execution.id)}
    pushes = range(1, len(run.recipe.pushes) + 1) if run else sorted(built)
    return [_push(run, push, built.get(push), [one for one in shards if one.push == push]) for push in pushes]


def _phase(execution: Execution, run: Run | None, phase: Phase) -> dict[str, Any]:
    times = execution.phases.get(phase, PhaseTimes())
    return {
        "phase": phase.value,
        "plannedAt": stamp(run.timeline.due(phase)) if run else None,
        "startedAt": stamp(times.started_at),
        "endedAt": stamp(times.ended_at),
    }


def _push(run: Run | None, push: int, files: PushFiles | None, mine: Sequence[Shard]) -> tuple[dict[str, Any], Tally]:
    tally = live_tally(files.live.size if files else 0, mine)
    written = run.recipe.pushes[push - 1] if run else None
    named = written.audience_name if written else ""
    numbers = {
        "order": push,
        "audience": files.audience if files else named,
        "layer": written.layer_id if written else None,
        "dueAt": stamp(run.timeline.push_at[push - 1]) if run else None,
        "audienceSize": tally.audience_size,
        "testSent": sum(shard.tally.sent for shard in mine if shard.test),
        "underWayAtStop": sum(shard.under_way for shard in mine if not shard.test),
        **_numbers(tally),
    }
    return numbers, tally


def _numbers(tally: Tally) -> dict[str, Any]:
    return {
        "excluded": dict(tally.excluded),
        "sent": tally.sent,
        "failed": tally.failed,
        "unknown": tally.unknown,
        "notReached": tally.not_reached,
    }
