"""One attempt at a scheduled call, as Cloud Scheduler makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.ports.queue import ScheduledJob


@dataclass(frozen=True, kw_only=True)
class Fire:
    """A job that is due. `schedule_time` is the same in all attempts, which count from 1.

    A job that is run by hand has a `manual` fire, whose headers name no schedule time. The job may be named in
    full, projects/.../jobs/ID: headers carry the id.
    """

    job: ScheduledJob
    schedule_time: datetime
    attempt: int
    deadline: datetime
    manual: bool = False

    @property
    def function(self) -> str:
        """The function to call."""
        return self.job.function

    @property
    def body(self) -> Mapping[str, Any]:
        """The JSON object to post."""
        return self.job.body

    def headers(self) -> dict[str, str]:
        """Return the request's headers: cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": self.job.name.rpartition("/")[2],
        }
        if not self.manual:
            at = self.schedule_time.astimezone(UTC)
            headers["X-CloudScheduler-ScheduleTime"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        return headers
