"""The limits of Cloud Tasks: cloud.google.com/tasks/docs/quotas."""

import re
from datetime import datetime, timedelta

LARGEST_TASK_BYTES = 100 * 1024
FARTHEST = timedelta(days=30)
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
