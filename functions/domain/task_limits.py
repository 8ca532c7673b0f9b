"""The limits of Cloud Tasks, cloud.google.com/tasks/docs/quotas, and how long requests may take."""

import re
from datetime import datetime, timedelta

LARGEST_TASK_BYTES = 100 * 1024
FARTHEST = timedelta(days=30)
_DEADLINE, _LONGEST_DEADLINE = timedelta(minutes=10), timedelta(minutes=30)
_RUNS_JOBS = {
    "build_audience": _LONGEST_DEADLINE,
    "api": timedelta(minutes=10),
    "console": timedelta(minutes=5),
}
"""How long the requests of the functions that run audience jobs may take: `timeout_seconds` in infra/functions.tf."""
_SHARE_OF_JOBS = 5 / 6
"""The share of a request's time that its audience job may take. The rest is for files, stores and the answer."""
LONGEST_STATEMENT_SECONDS = int(_LONGEST_DEADLINE.total_seconds() * _SHARE_OF_JOBS)
"""How long a statement of an audience job may take at most, in seconds."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,500}")


def check_task(
    name: str, size_bytes: int, at: datetime, now: datetime, largest_bytes: int = LARGEST_TASK_BYTES
) -> None:
    """Raise ValueError for a task that Cloud Tasks refuses: too large, too far ahead, or with an invalid name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"task {name!r}: a name holds 1 to 500 letters, digits, hyphens and underscores")
    if size_bytes > largest_bytes:
        raise ValueError(f"task {name}: {size_bytes:,} bytes; at most {largest_bytes:,} are allowed")
    if at - now > FARTHEST:
        raise ValueError(f"task {name}: {at} is more than {FARTHEST.days} days ahead")


def dispatch_deadline(function: str) -> timedelta:
    """Return how long Cloud Tasks waits for the answer of a function: as long as its request may take, or longer."""
    return _LONGEST_DEADLINE if function == "build_audience" else _DEADLINE


def job_time(service: str) -> timedelta:
    """Return how long an audience job may take in a service of Cloud Run, such as `tminus-build-audience`.

    A request's timeout does not end its work, so the work has to end before it. Without a service, the longest time.
    """
    name = service.replace("-", "_")
    request = next((time for function, time in _RUNS_JOBS.items() if name.endswith(function)), _LONGEST_DEADLINE)
    return request * _SHARE_OF_JOBS
