"""What the fake answers, and the ways in which it fails to."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from h2.errors import ErrorCodes


class Delivery(Enum):
    """How much of an answer reaches the client."""

    WHOLE = auto()
    CUT = auto()
    """The headers and half of the body, then the connection is closed, not reset: the half would be lost with it."""
    DROP = auto()
    """Nothing: the connection is reset once the whole request was read."""
    CLOSE = auto()
    """Nothing: the connection is closed in order, all the same without a GOAWAY."""
    RESET = auto()
    """Nothing: RST_STREAM with the answer's `error_code`; the connection goes on."""
    NEVER = auto()
    """Nothing, and the stream stays open."""


class AtHeaders(Enum):
    """What becomes of a request when its headers are seen, before its body and so before its device token."""

    DROP = auto()
    """The connection is reset."""
    REFUSE = auto()
    """RST_STREAM with REFUSED_STREAM; the connection goes on."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; `name` is what a recorded request says it got. A body of None stands for that of a message sent."""

    name: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json; charset=UTF-8"),)
    body: bytes | None = None
    latency_seconds: float = 0
    delivery: Delivery = Delivery.WHOLE
    error_code: ErrorCodes = ErrorCodes.INTERNAL_ERROR

    def after(self, latency_seconds: float) -> "Answer":
        """Return the same answer, `latency_seconds` after the whole request was read."""
        return replace(self, latency_seconds=latency_seconds)
