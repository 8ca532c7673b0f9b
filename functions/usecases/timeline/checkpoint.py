"""T-0: decide atomically whether to send the live sequence."""

from dataclasses import replace
from datetime import datetime

from functions.domain.alerts.alert import live_started
from functions.domain.errors import NotYet
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_alert, raise_end_alert
from functions.usecases.timeline.control import cancel_all
from functions.usecases.timeline.ending import expire
from functions.usecases.timeline.journal import note
from functions.usecases.timeline.orphans import why_orphaned
from functions.usecases.timeline.steps import Run, load_run


def checkpoint(ports: Ports, execution_id: str) -> Execution:
    """Go live, unless the execution was cancelled, the recipe was paused, or an earlier step is not done.

    A cancel and this decision race on one document, and one of them wins. A repeat returns the execution unchanged.
    For example, a tested execution becomes LIVE at T-0, and CANCELLED if its recipe was paused at T-1. NotYet before
    T-0, before the tests, and before the end of the shortest cancellation window.
    """
    run, now = load_run(ports, execution_id), ports.clock.now()
    if run.execution.kind is Kind.TEST:
        return run.execution
    if run.execution.state.final or run.execution.state is State.LIVE:
        return _reported(ports, run, run.execution)
    if now < run.execution.send_at:
        raise NotYet("the checkpoint", run.execution.send_at)
    if run.too_late(run.execution.send_at, now):
        return expire(ports, run)
    _wait(ports, run, now)
    return _reported(ports, run, _decide(ports, run, now))


def _wait(ports: Ports, run: Run, now: datetime) -> None:
    """Raise NotYet before the end of the tests and of the shortest cancellation window after them."""
    if not ready_for_live(run):
        raise NotYet("the checkpoint waits for the test send, which", run.timeline.test_at)
    go_at = run.window_over_at(ports.policy.limits.shortest_window)
    if now < go_at:
        raise NotYet("the end of the shortest cancellation window", go_at)


def _decide(ports: Ports, run: Run, now: datetime) -> Execution:
    """Cancel if the recipe no longer sends, else go live; return the changed execution."""
    why = why_orphaned(ports, run.execution)
    if why is not None:
        cancel_all(ports, [run.execution], why)
        return load_run(ports, run.execution.id).execution
    went_live = False

    def go(execution: Execution) -> Execution:
        nonlocal went_live
        went_live = not execution.state.final and execution.state is not State.LIVE
        if not went_live:
            return execution
        _wait(ports, replace(run, execution=execution), now)  # an optional test may have ended meanwhile
        live = execution.ended(Phase.CANCELLATION_WINDOW, now).to(State.LIVE, now)
        return live.started(Phase.LIVE_EXECUTION, now)

    execution = ports.executions.change(run.execution.id, go)
    if went_live:
        message = "Dry run started: no message is sent" if run.recipe.test_mode else "Live send started"
        note(ports, execution.id, Phase.LIVE_EXECUTION, message)
    return execution


def _reported(ports: Ports, run: Run, execution: Execution) -> Execution:
    """Raise the alert about the result, also on a repeat: the first attempt may have failed before it."""
    if execution.state is State.LIVE:
        alert = live_started(execution, run.timeline.push_at, dry_run=run.recipe.test_mode)
        raise_alert(ports, alert, execution.recipe)
    else:
        raise_end_alert(ports, execution)
    return execution


def ready_for_live(run: Run) -> bool:
    """Return whether an execution can go live: it is tested, or its audiences are built and it needs no test."""
    if run.execution.state is State.TESTED:
        return True
    optional = not run.recipe.settings.safeguards.require_test_first
    return optional and run.execution.state is State.AUDIENCE_READY
