"""How Cloud Tasks slows a queue by itself.

"If the worker returns 429 or 503, or the rate of errors is high, Cloud Tasks will use a higher backoff rate", and
"dispatches ramp up slowly when the queue is newly created or idle": cloud.google.com/tasks/docs/reference/rest/v2,
HttpRequest. Google names no figures. These are harsh enough to show what a product that relies on its rate loses.
"""

from math import ceil

_SECOND = 1_000_000
_SLOWEST = 64.0
_FIRST_PER_SECOND = 1.0
_DOUBLES_EVERY = 10 * _SECOND
_IDLE = 600 * _SECOND
_OVERLOADED = (429, 503)


class Pace:
    """The least time between two dispatches of a queue that may dispatch `per_second`; instants are microseconds.

    Each overloaded answer, of any task, doubles it up to 64 times; each success halves it again. A queue without
    dispatches for ten minutes begins with one dispatch a second, and doubles that every ten seconds.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._slowness = 1.0
        self._warm_since = self._last = -_IDLE
        self.free_at = 0

    def spend(self, now: int) -> None:
        """Count a dispatch."""
        if now - self._last >= _IDLE:
            self._warm_since = now
        self._last = now
        doubled = min((now - self._warm_since) // _DOUBLES_EVERY, 64)
        self._wait(now, min(self._per_second, _FIRST_PER_SECOND * 2.0**doubled))

    def answered(self, status: int, now: int) -> None:
        """Count an answer."""
        if status in _OVERLOADED:
            self._slowness = min(_SLOWEST, self._slowness * 2)
            self._wait(now, self._per_second)
        elif 200 <= status < 300:
            self._slowness = max(1.0, self._slowness / 2)

    def _wait(self, now: int, per_second: float) -> None:
        self.free_at = max(self.free_at, now + ceil(_SECOND / per_second * self._slowness))
