"""Cancel an execution by the link of an alert, or say why that cannot be done any more."""

from dataclasses import dataclass
from enum import Enum

from functions.domain.alerts.cancel_link import BadLink, read_token
from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, State
from functions.ports import Ports
from functions.usecases.timeline.control import cancel

WHY = "somebody used the cancel link of an alert"


class Standing(Enum):
    """What a cancel link is good for."""

    OPEN = "open"
    """The execution may still be cancelled by it."""
    DONE = "done"
    """It has just cancelled the execution."""
    USED = "used"
    """The execution was cancelled before, by this link or otherwise."""
    LIVE = "live"
    """The execution is live: the checkpoint was faster."""
    OVER = "over"
    """The execution has ended otherwise, or is no longer there."""
    EXPIRED = "expired"
    """T-0 has come."""
    BAD = "bad"
    """The signature does not match."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a link is good for, and its execution, where there is one."""

    standing: Standing
    execution: Execution | None = None


def look_at_link(ports: Ports, token: str) -> Seen:
    """Return what a link is good for; looking changes nothing."""
    try:
        link = read_token(ports.policy.alerts.link_secrets, token)
    except BadLink:
        return Seen(standing=Standing.BAD)
    execution = ports.executions.get(link.execution_id)
    if execution is None:
        return Seen(standing=Standing.OVER)
    standing = _standing(execution)
    if standing is Standing.OPEN and ports.clock.now() >= link.expires_at:
        standing = Standing.EXPIRED
    return Seen(standing=standing, execution=execution)


def cancel_by_link(ports: Ports, token: str) -> Seen:
    """Cancel the execution of a link, if it is still good for that; the checkpoint may be faster all the same."""
    seen = look_at_link(ports, token)
    if seen.standing is not Standing.OPEN or seen.execution is None:
        return seen
    try:
        return Seen(standing=Standing.DONE, execution=cancel(ports, seen.execution.id, WHY))
    except NotPossible:
        return look_at_link(ports, token)


def _standing(execution: Execution) -> Standing:
    if execution.state is State.CANCELLED:
        return Standing.USED
    if execution.state is State.LIVE:
        return Standing.LIVE
    return Standing.OVER if execution.state.final else Standing.OPEN
