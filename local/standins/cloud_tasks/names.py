"""Names of queues, tasks and jobs.

cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2#task
"""

import re

from local.standins.cloud_tasks.errors import InvalidArgument

_LOCATION = r"projects/[A-Za-z0-9:.-]+/locations/[A-Za-z0-9-]+"
_QUEUE = rf"{_LOCATION}/queues/[A-Za-z0-9-]{{1,100}}"
_TASK = rf"(?P<queue>{_QUEUE})/tasks/(?P<id>[A-Za-z0-9_-]{{1,500}})"
_JOB = rf"(?P<location>{_LOCATION})/jobs/(?P<id>[A-Za-z0-9_-]{{1,500}})"


def check_location(name: str) -> str:
    """Return the name of a location; InvalidArgument for any other name."""
    _match(_LOCATION, name, "projects/PROJECT_ID/locations/LOCATION_ID")
    return name


def check_queue(name: str, location: str | None = None) -> str:
    """Return the name of a queue; InvalidArgument for any other name, or if it is not in the given `location`."""
    _match(_QUEUE, name, "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID")
    if location is not None and not name.startswith(f"{location}/"):
        raise InvalidArgument(f"queue {name!r} is not in {location!r}")
    return name


def split_task(name: str) -> tuple[str, str]:
    """Return a task's queue and id; InvalidArgument for other names."""
    found = _match(_TASK, name, "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID/tasks/TASK_ID")
    return found["queue"], found["id"]


def check_job(name: str, location: str | None = None) -> str:
    """Return the name of a job; InvalidArgument for any other name, or if it is not in the given `location`."""
    found = _match(_JOB, name, "projects/PROJECT_ID/locations/LOCATION_ID/jobs/JOB_ID")
    if location is not None and found["location"] != location:
        raise InvalidArgument(f"job {name!r} is not in {location!r}")
    return name


def _match(pattern: str, name: str, form: str) -> re.Match[str]:
    found = re.fullmatch(pattern, name)
    if found is None:
        raise InvalidArgument(f"name {name!r} must have the form {form}")
    return found
