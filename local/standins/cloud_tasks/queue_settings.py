"""The settings of a queue, with Cloud Tasks' defaults and limits.

cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#queue
"""

from datetime import timedelta
from math import ceil

from google.cloud import tasks_v2

from local.standins.cloud_tasks.errors import InvalidArgument, Unimplemented

_FASTEST_PER_SECOND = 500.0
_MOST_AT_ONCE = 5000
_LONGEST_BACKOFF = timedelta(hours=1)
_MOST_DOUBLINGS = 16
_SMALLEST_BURST, _LARGEST_BURST = 10, 100


def complete(queue: tasks_v2.Queue) -> tasks_v2.Queue:
    """Return a queue with defaults filled in; InvalidArgument for what the service refuses."""
    if "http_target" in queue or "app_engine_routing_override" in queue:
        raise Unimplemented(f"queue {queue.name}: the emulator has no queue-level targets; give each task its own")
    completed = tasks_v2.Queue(
        name=queue.name,
        rate_limits=_rate_limits(queue.rate_limits),
        retry_config=_retry_config(queue.retry_config),
        purge_time=queue.purge_time,
    )
    if "stackdriver_logging_config" in queue:
        completed.stackdriver_logging_config = queue.stackdriver_logging_config
    return completed


def _rate_limits(given: tasks_v2.RateLimits) -> tasks_v2.RateLimits:
    per_second = given.max_dispatches_per_second or _FASTEST_PER_SECOND
    at_once = given.max_concurrent_dispatches or 1000
    if not 0 < per_second <= _FASTEST_PER_SECOND:
        raise InvalidArgument(f"max_dispatches_per_second {per_second}: above 0, at most {_FASTEST_PER_SECOND}")
    if not 0 < at_once <= _MOST_AT_ONCE:
        raise InvalidArgument(f"max_concurrent_dispatches {at_once}: 1 to {_MOST_AT_ONCE}")
    return tasks_v2.RateLimits(
        max_dispatches_per_second=per_second,
        max_burst_size=min(_LARGEST_BURST, max(_SMALLEST_BURST, ceil(per_second))),
        max_concurrent_dispatches=at_once,
    )


def _retry_config(given: tasks_v2.RetryConfig) -> tasks_v2.RetryConfig:
    config = tasks_v2.RetryConfig(
        max_attempts=given.max_attempts or 100,
        max_retry_duration=given.max_retry_duration,
        min_backoff=given.min_backoff if "min_backoff" in given else timedelta(milliseconds=100),
        max_backoff=given.max_backoff if "max_backoff" in given else _LONGEST_BACKOFF,
        max_doublings=given.max_doublings or _MOST_DOUBLINGS,
    )
    if config.max_attempts < -1:
        raise InvalidArgument(f"max_attempts {config.max_attempts}: -1 for no limit, or 1 and more")
    if config.max_retry_duration < timedelta(0):
        raise InvalidArgument(f"max_retry_duration {config.max_retry_duration}: 0 for no limit, or more")
    if not timedelta(0) <= config.min_backoff <= config.max_backoff <= _LONGEST_BACKOFF:
        raise InvalidArgument(
            f"min_backoff {config.min_backoff}, max_backoff {config.max_backoff}: in this order, at most an hour"
        )
    if not 0 <= config.max_doublings <= _MOST_DOUBLINGS:
        raise InvalidArgument(f"max_doublings {config.max_doublings}: at most {_MOST_DOUBLINGS}")
    return config
