"""When a failed request is retried or given up, as in Cloud Tasks and Cloud Scheduler."""

from dataclasses import dataclass
from datetime import timedelta

_LONGEST_RETENTION = timedelta(days=31)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """A queue's retry configuration: cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.

    -1 attempts and a duration of 0 mean no limit. Without either limit, a request is given up after 31 days.

    The wait starts at `min_backoff`, doubles `max_doublings` times, then grows by the last doubling's length, and
    never exceeds `max_backoff`. Retries end only when `max_attempts` and `max_retry_duration` are both reached.
    """

    max_attempts: int = 100
    max_retry_duration: timedelta = timedelta(hours=1)
    min_backoff: timedelta = timedelta(seconds=1)
    max_backoff: timedelta = timedelta(seconds=60)
    max_doublings: int = 6

    def backoff(self, attempts: int) -> timedelta:
        """Return the wait after a number of attempts, including the first one."""
        retries = attempts - 1
        doubled = self.min_backoff * (1 << min(retries, self.max_doublings))
        linear = max(1, retries - self.max_doublings + 1)
        return min(self.max_backoff, doubled * linear)

    def exhausted(self, attempts: int, age: timedelta) -> bool:
        """Return whether a request is given up; `age` is the time since its first attempt."""
        if self.max_attempts < 0 and not self.max_retry_duration:
            return age >= _LONGEST_RETENTION
        return attempts >= self.max_attempts and age >= self.max_retry_duration
