"""A token bucket, exact to the microsecond."""

from math import ceil


class Rate:
    """Allows `per_second` dispatches, and `burst` of them at once after a pause.

    The bucket is stored as the instant at which it will be full again, so that a virtual clock finds each token at
    its exact microsecond.
    """

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._interval = ceil(1_000_000 / per_second)
        self._slack = (burst - 1) * self._interval
        self._full_at = 0

    @property
    def free_at(self) -> int:
        """The microsecond since 1970 from which a dispatch is allowed; 0 before the first one."""
        return max(0, self._full_at - self._slack)

    def spend(self, now: int) -> None:
        """Take a token at the microsecond `now`."""
        self._full_at = max(self._full_at, now) + self._interval
