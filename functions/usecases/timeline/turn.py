"""Decide which executions run if more have started than can run at once.

The first ones in order of creation run, up to the limit; the others wait. An execution frees its place when it has
ended, or has sent everything and only waits for cleanup. Both are permanent, and the order never changes. So an
execution whose turn has come keeps it, and the next one is always known.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.domain.errors import NotYet, Unreadable
from functions.domain.execution.execution import Execution, State, Wait
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.built_pushes import built_pushes
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.steps import Run

_WAITS = "waits its turn"
_STEPS_COME_AGAIN = timedelta(minutes=3)
"""The tasks of test, checkpoint and first push that came too early come again within a minute."""


def too_many(ports: Ports, run: Run, earlier: Sequence[Execution]) -> Finding | None:
    """Return the breach if earlier executions take all places; None if the turn has come.

    It does not end the execution while it can still be sent in time, including the window to cancel it.
    """
    most = ports.policy.limits.executions_at_once
    if len(earlier) < most:
        return None
    busy = sum(not everything_sent(ports, other) for other in earlier)
    if busy < most:
        return None
    fits = ports.clock.now() <= latest_start(ports, run)
    return Finding(
        type=ViolationType.TOO_MANY_EXECUTIONS,
        severity=Severity.WARNING if fits else Severity.CRITICAL,
        message=_waits(ports, run, busy) if fits else _waited(ports, run, busy),
        action=_WAITS if fits else "blocked",
        data={"underWay": busy, "limit": most},
    )


def latest_start(ports: Ports, run: Run) -> datetime:
    """Return the latest start with which an execution can still be sent in time, after the window to cancel it."""
    shortest = ports.policy.limits.shortest_window
    return run.execution.send_at + run.lateness - run.owed_window(shortest) - _STEPS_COME_AGAIN


def wait(ports: Ports, run: Run, finding: Finding) -> Execution:
    """Record that an execution waits for its turn, and raise an alert. A repeat changes nothing."""
    begun = Wait(
        since=ports.clock.now(),
        until=latest_start(ports, run),
        limit=ports.policy.limits.executions_at_once,
    )
    execution = ports.executions.change(run.execution.id, lambda execution: execution.waits(begun))
    if execution.waiting:
        breach(ports, execution, Phase.AUDIENCE_GENERATION, finding, subject="waits")
    return execution


def not_its_turn(execution: Execution) -> NotYet:
    """Return the error that makes a step of a waiting execution come again soon."""
    until = execution.wait.until if execution.wait else execution.send_at
    return NotYet(f"{execution.id} waits its turn, which at the latest", until, perhaps_sooner=True)


def everything_sent(ports: Ports, execution: Execution) -> bool:
    """Return whether a live execution has sent everything, which frees its place.

    One that this release cannot read keeps its place until a step of its own or reconcile has ended it.
    """
    if execution.state is not State.LIVE:
        return False
    try:
        size = sum(files.live.size for files in built_pushes(ports, execution.id))
        return ports.shards.progress(execution.id).audience_size >= size
    except Unreadable:
        return False


def _waits(ports: Ports, run: Run, busy: int) -> str:
    return (
        f"it waits its turn: {busy} executions that started before it are under way, and the limit is "
        f"{ports.policy.limits.executions_at_once} (MAX_EXECUTIONS_AT_ONCE); it can wait until "
        f"{latest_start(ports, run):%H:%M} UTC, and is blocked after that"
    )


def _waited(ports: Ports, run: Run, busy: int) -> str:
    most, since = ports.policy.limits.executions_at_once, run.execution.wait
    waited = f"it has waited its turn since {since.since:%H:%M} UTC; " if since else ""
    return (
        f"{waited}{busy} executions that started before it are under way, and the limit is {most} "
        "(raise MAX_EXECUTIONS_AT_ONCE); if it waited longer, it could not be sent by "
        f"{run.execution.send_at + run.lateness:%H:%M} UTC (settings.maxLatenessMinutes)"
    )
