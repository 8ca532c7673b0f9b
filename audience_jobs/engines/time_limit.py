"""How long the statements of an engine may take."""

import math
from dataclasses import dataclass
from time import monotonic

from audience_jobs.errors import TooSlow


@dataclass(frozen=True)
class TimeLimit:
    """Each statement may take `seconds`, and all have to end before `ends` on the monotonic clock."""

    seconds: float
    ends: float = math.inf

    def within(self, seconds: float) -> "TimeLimit":
        """Return the limit with which everything from now on takes at most `seconds`."""
        return TimeLimit(min(seconds, self.seconds), min(monotonic() + seconds, self.ends))

    def left(self, job_id: str) -> float:
        """Return how many seconds the next statement of a job may take; TooSlow where none are left."""
        left = min(self.seconds, self.ends - monotonic())
        if left <= 0:
            raise TooSlow(job_id, self.seconds)
        return left
