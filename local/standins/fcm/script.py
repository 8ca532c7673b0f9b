"""What happens to each request, decided before the test runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from h2.errors import ErrorCodes

from local.standins.fcm.answer import Answer, AtHeaders
from local.standins.fcm.answers import SENT


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of all device tokens, between 0 and 1, that gets `answer`: always, or the first `times` times."""

    of_tokens: float
    answer: Answer
    times: int | None = None


@dataclass(frozen=True, kw_only=True)
class GoAway:
    """A GOAWAY on a connection after a number of its requests; then the connection is closed.

    With `unprocessed` at 0 it is graceful: the last stream id is the highest one seen, and all up to it are answered.
    Otherwise the last id is below the last `unprocessed` of the `after_requests`, which are neither read nor
    recorded. So many requests must be in progress at once, because the GOAWAY leaves with the headers of the last
    one. Only the first `connections` connections with a request get one.
    """

    after_requests: int
    unprocessed: int = 0
    connections: int = 1
    error_code: ErrorCodes = ErrorCodes.NO_ERROR

    def __post_init__(self) -> None:
        if not 0 <= self.unprocessed <= self.after_requests or self.after_requests < 1:
            raise ValueError(f"GOAWAY cannot leave {self.unprocessed} of {self.after_requests} requests unprocessed")


@dataclass(frozen=True, kw_only=True)
class Script:
    """Decides each request's answer. All counts restart when the fake gets a script.

    The first of these that applies decides:

    1. the device token's own answer, or the next of its several answers; after the last one, the rest applies;
    2. the share of tokens that it belongs to, which the seed decides;
    3. the next of `first`, in order of arrival;
    4. `default`.

    A request whose access token is refused uses none of them. `at_headers` maps the n-th request, from 1, to what
    happens before its body is read.
    """

    tokens: Mapping[str, Answer | Sequence[Answer]] = field(default_factory=dict)
    shares: Sequence[Share] = ()
    seed: int = 0
    first: Sequence[Answer] = ()
    default: Answer = SENT
    at_headers: Mapping[int, AtHeaders] = field(default_factory=dict)
    goaway: GoAway | None = None

    def __post_init__(self) -> None:
        total = sum(share.of_tokens for share in self.shares)
        if total > 1 + 1e-9 or any(share.of_tokens < 0 for share in self.shares):
            raise ValueError(f"shares of tokens must be between 0 and 1 and add up to at most 1, got {total}")
