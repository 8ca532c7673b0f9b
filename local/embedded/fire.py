"""One attempt at a scheduled call, as Cloud Scheduler makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.ports import ScheduledJob


@dataclass(frozen=True, kw_only=True)
class Fire:
    """A job whose time has come; `schedule_time` is the same in all attempts, which count from 1."""

    job: ScheduledJob
    schedule_time: datetime
    attempt: int
    deadline: datetime

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
        return {
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": self.job.name,
            "X-CloudScheduler-ScheduleTime": f"{self.schedule_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
