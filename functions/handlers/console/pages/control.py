"""Cancel before T-0, or stop: with a confirmation, and a true answer if another person was first."""

from flask import Response

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, State
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to
from functions.handlers.console.execution_sentences import control_of
from functions.handlers.console.pages.execution import AT, execution_asked, shown_execution, watched_execution
from functions.handlers.console.visit import Route, Visit
from functions.usecases.timeline import control

_LONGEST_REASON = 500


def ask(visit: Visit) -> Response:
    """Ask whether to do what the large button says, in its place or on a page of its own."""
    watched = watched_execution(visit)
    if visit.by_htmx:
        return part(visit, "control.html", **vars(shown_execution(visit, watched)), asking=True)
    if control_of(watched.execution).kind == "over":
        return to(visit, f"/executions/{watched.execution.id}", told="over")
    return page(visit, "confirm.html", **vars(shown_execution(visit, watched)), asking=True)


def keep(visit: Visit) -> Response:
    """Show the large button again, as it is now."""
    return part(visit, "control.html", **vars(shown_execution(visit, watched_execution(visit))), asking=False)


def cancel(visit: Visit) -> Response:
    """Cancel before T-0; where the live send was first, say so and leave it."""
    return _do(visit, State.CANCELLED)


def stop(visit: Visit) -> Response:
    """Stop at any time."""
    return _do(visit, State.STOPPED)


def _do(visit: Visit, state: State) -> Response:
    execution = execution_asked(visit)
    do = control.cancel if state is State.CANCELLED else control.stop
    try:
        done = do(visit.ports, execution.id, why(visit))
    except NotPossible:
        return to(visit, f"/executions/{execution.id}", told=_lost(visit, execution))
    return to(visit, f"/executions/{done.id}", told=done.state.value)


def why(visit: Visit) -> str:
    """Return what the log says of who did it, and why."""
    return f"{visit.field('reason')[:_LONGEST_REASON] or 'asked for in the console'} ({visit.caller.name})"


def _lost(visit: Visit, execution: Execution) -> str:
    now = visit.ports.executions.get(execution.id) or execution
    return "live" if now.state is State.LIVE else "over"


ROUTES = (
    Route(method="GET", path=f"{AT}/confirm", serve=ask, least=Role.OPERATOR),
    Route(method="GET", path=f"{AT}/control", serve=keep),
    Route(method="POST", path=f"{AT}/cancel", serve=cancel, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/stop", serve=stop, least=Role.OPERATOR),
)
