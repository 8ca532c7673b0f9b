"""Cancel before T-0, or stop: with a confirmation, and a clear answer if another person was faster."""

from flask import Response

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, State
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to
from functions.handlers.console.pages.execution import AT, execution_asked, shown_execution, watched_execution
from functions.handlers.console.visit import Route, Visit
from functions.usecases.reports.so_far import everyone_sent_to
from functions.usecases.timeline import control

_LONGEST_REASON = 500


def ask(visit: Visit) -> Response:
    """Ask for confirmation, in place of the button or on a separate page."""
    shown = shown_execution(visit, watched_execution(visit))
    if visit.by_htmx:
        return part(visit, "control.html", **vars(shown), asking=True)
    if shown.control.kind == "over":
        return to(visit, f"/executions/{shown.execution.id}", outcome="over")
    return page(visit, "confirm.html", **vars(shown), asking=True)


def keep(visit: Visit) -> Response:
    """Show the current button again."""
    return part(visit, "control.html", **vars(shown_execution(visit, watched_execution(visit))), asking=False)


def cancel(visit: Visit) -> Response:
    """Cancel before T-0. If the live send was faster, say so and let it go on."""
    return _do(visit, State.CANCELLED)


def stop(visit: Visit) -> Response:
    """Stop at any time."""
    return _do(visit, State.STOPPED)


def _do(visit: Visit, state: State) -> Response:
    execution = execution_asked(visit)
    if everyone_sent_to(visit.ports, execution.id, execution.state):
        return to(visit, f"/executions/{execution.id}", outcome="sent")
    do = control.cancel if state is State.CANCELLED else control.stop
    try:
        done = do(visit.ports, execution.id, why(visit), by=visit.caller.name)
    except NotPossible:
        return to(visit, f"/executions/{execution.id}", outcome=_lost(visit, execution))
    return to(visit, f"/executions/{done.id}", outcome=done.state.value)


def why(visit: Visit) -> str:
    """Return who did it and why, from the log."""
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
