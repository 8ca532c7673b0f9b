"""T-0: decide, atomically, whether the live sequence is sent."""

from functions.domain.errors import NotYet
from functions.domain.execution import Execution, State
from functions.domain.timeline import Phase
from functions.ports import Ports
from functions.usecases.journal import note
from functions.usecases.launch import expire
from functions.usecases.steps import Run, load_run


def checkpoint(ports: Ports, execution_id: str) -> Execution:
    """Go live, unless somebody cancelled or a step before is not done; a repeat returns the execution as it is.

    A cancel and this decision race on one document, and one of them wins.
    """
    run, now = load_run(ports, execution_id), ports.clock.now()
    if run.execution.state.final or run.execution.state is State.LIVE:
        return run.execution
    if now < run.execution.send_at:
        raise NotYet("the checkpoint", run.execution.send_at)
    if run.too_late(run.execution.send_at, now):
        return expire(ports, run)
    if not _ready(run):
        raise NotYet("the checkpoint waits for the test send, which", run.timeline.test_at)
    went_live = False

    def go(execution: Execution) -> Execution:
        nonlocal went_live
        went_live = not execution.state.final and execution.state is not State.LIVE
        if not went_live:
            return execution
        live = execution.ended(Phase.CANCELLATION_WINDOW, now).to(State.LIVE, now)
        return live.started(Phase.LIVE_EXECUTION, now)

    execution = ports.executions.change(execution_id, go)
    if went_live:
        mode = "dry run: nobody gets a message" if run.recipe.test_mode else "live"
        note(ports, execution_id, Phase.LIVE_EXECUTION, f"go ({mode}); nobody cancelled")
    return execution


def _ready(run: Run) -> bool:
    if run.execution.state is State.TESTED:
        return True
    optional = not run.recipe.settings.safeguards.require_test_first
    return optional and run.execution.state is State.AUDIENCE_READY
