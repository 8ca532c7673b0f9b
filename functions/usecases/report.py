"""What an execution did, in numbers that add up."""

from collections.abc import Sequence
from typing import Any

from functions.domain.delivery import Tally
from functions.domain.execution import PhaseTimes
from functions.domain.instants import stamp
from functions.domain.safeguards import Violation
from functions.domain.shard import Shard, live_tally
from functions.domain.timeline import Phase
from functions.ports import Ports
from functions.usecases.steps import Run, load_run


def report(ports: Ports, execution_id: str) -> dict[str, Any]:
    """Return an execution's timeline, pushes, violations and totals.

    For every push, counted in users: audienceSize = sum(excluded) + sent + failed + unknown + notReached. Those under
    way when a stop was noticed are among them, as what became of them. The totals add pushes up, so that they count a
    user once for each push, as messages; `people` and `peopleReached` count each user once: see Execution.
    """
    run = load_run(ports, execution_id)
    return report_of(ports, run, ports.executions.shards(execution_id), ports.executions.violations(execution_id))


def report_of(ports: Ports, run: Run, shards: Sequence[Shard], violations: Sequence[Violation]) -> dict[str, Any]:
    """Return the report of an execution as it was read, with its shards and violations: see report."""
    pushes = _pushes(ports, run, shards)
    return {
        "executionId": run.execution.id,
        "recipeId": run.recipe.id,
        "status": run.execution.state.value,
        "reason": run.execution.reason,
        "sendAt": stamp(run.execution.send_at),
        "dryRun": run.recipe.test_mode,
        "timeline": [_phase(run, phase) for phase in Phase],
        "pushes": [numbers for numbers, _ in pushes],
        "violations": [violation.document() for violation in violations],
        "totals": {
            "people": run.execution.people,
            "peopleReached": run.execution.people_reached,
            "audienceSize": sum(numbers["audienceSize"] for numbers, _ in pushes),
            "testSent": sum(numbers["testSent"] for numbers, _ in pushes),
            **_numbers(sum((tally for _, tally in pushes), Tally())),
        },
    }


def pushes_of(ports: Ports, run: Run) -> list[dict[str, Any]]:
    """Return what became of each push of an execution, as `report` has it."""
    return [numbers for numbers, _ in _pushes(ports, run, ports.executions.shards(run.execution.id))]


def _pushes(ports: Ports, run: Run, shards: Sequence[Shard]) -> list[tuple[dict[str, Any], Tally]]:
    return [_push(ports, run, push, shards) for push in range(1, len(run.recipe.pushes) + 1)]


def _phase(run: Run, phase: Phase) -> dict[str, Any]:
    times = run.execution.phases.get(phase, PhaseTimes())
    return {
        "phase": phase.value,
        "plannedAt": stamp(run.timeline.due(phase)),
        "startedAt": stamp(times.started_at),
        "endedAt": stamp(times.ended_at),
    }


def _push(ports: Ports, run: Run, push: int, shards: Sequence[Shard]) -> tuple[dict[str, Any], Tally]:
    files = ports.executions.push(run.execution.id, push)
    mine = [shard for shard in shards if shard.push == push]
    tally = live_tally(files.live.size if files else 0, mine)
    numbers = {
        "order": push,
        "audience": files.audience if files else run.recipe.pushes[push - 1].audience_name,
        "layer": run.recipe.pushes[push - 1].layer_id,
        "dueAt": stamp(run.timeline.push_at[push - 1]),
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
