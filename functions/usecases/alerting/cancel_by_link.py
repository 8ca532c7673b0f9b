"""Cancel an execution by the link in an alert, or say why that is no longer possible."""

from dataclasses import dataclass
from enum import Enum

from functions.domain.alerts.cancel_link import BadLink, read_token
from functions.domain.errors import NotPossible
from functions.domain.execution.execution import Execution, State
from functions.ports import Ports
from functions.usecases.timeline.control import cancel

WHY = "the cancel link of an alert was used"
LINK = "cancel link"
"""The name in the audit log where no proxy names the visitor."""


class Standing(Enum):
    """The state of a cancel link."""

    OPEN = "open"
    """The link can still cancel the execution."""
    DONE = "done"
    """The link has just cancelled the execution."""
    USED = "used"
    """The execution was already cancelled, by this link or otherwise."""
    LIVE = "live"
    """The execution is live: the checkpoint was faster."""
    OVER = "over"
    """The execution ended in another way, or no longer exists."""
    EXPIRED = "expired"
    """T-0 has come."""
    BAD = "bad"
    """The signature does not match."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The state of a link, and its execution, if there is one."""

    standing: Standing
    execution: Execution | None = None


def look_at_link(ports: Ports, token: str) -> Seen:
    """Return the state of a link, and change nothing."""
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


def cancel_by_link(ports: Ports, token: str, *, by: str = "") -> Seen:
    """Cancel the execution of a link, if the link allows it. The checkpoint may still be faster.

    `by` is the visitor, if a proxy names one: it is part of the reason in the execution's log.
    """
    seen = look_at_link(ports, token)
    if seen.standing is not Standing.OPEN or seen.execution is None:
        return seen
    try:
        return Seen(
            standing=Standing.DONE,
            execution=cancel(ports, seen.execution.id, f"{WHY} by {by}" if by else WHY, by=by or LINK),
        )
    except NotPossible:
        return look_at_link(ports, token)


def _standing(execution: Execution) -> Standing:
    if execution.state is State.CANCELLED:
        return Standing.USED
    if execution.state is State.LIVE:
        return Standing.LIVE
    return Standing.OVER if execution.state.final else Standing.OPEN
