"""Answers of the fake, and the ways in which an answer can fail to arrive."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from h2.errors import ErrorCodes


class Delivery(Enum):
    """How much of an answer reaches the client."""

    WHOLE = auto()
    CUT = auto()
    """The headers and half of the body; then the connection is closed. A reset would lose that half."""
    DROP = auto()
    """Nothing: the connection is reset after the whole request was read."""
    CLOSE = auto()
    """Nothing: the connection is closed normally, but without a GOAWAY."""
    RESET = auto()
    """Nothing: RST_STREAM with the answer's `error_code`; the connection stays open."""
    NEVER = auto()
    """Nothing, and the stream stays open."""


class AtHeaders(Enum):
    """What happens to a request at its headers, before its body and therefore before its device token."""

    DROP = auto()
    """The connection is reset."""
    REFUSE = auto()
    """RST_STREAM with REFUSED_STREAM; the connection stays open."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; `name` identifies it in recorded requests. A body of None means the body of a sent message."""

    name: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json; charset=UTF-8"),)
    body: bytes | None = None
    latency_seconds: float = 0
    delivery: Delivery = Delivery.WHOLE
    error_code: ErrorCodes = ErrorCodes.INTERNAL_ERROR

    def after(self, latency_seconds: float) -> "Answer":
        """Return the same answer, sent `latency_seconds` after the whole request was read."""
        return replace(self, latency_seconds=latency_seconds)
