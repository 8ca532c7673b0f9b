"""The clock, the task queue and the scheduler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """The only teller of the time."""

    def now(self) -> datetime:
        """Return the instant it is, aware, in UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """A request to one of the functions, at an instant; a second task of the same name is dropped."""

    name: str
    function: str
    body: Mapping[str, Any]
    at: datetime


class TaskQueue(Protocol):
    """Delivers tasks at least once, in no order, sometimes late."""

    def add(self, task: Task) -> bool:
        """Add a task; False where its name was used before."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScheduledJob:
    """A cron in a zone that calls a function; `enabled` is False where somebody has paused it by hand."""

    name: str
    cron: str
    zone: str
    function: str
    body: Mapping[str, Any]
    enabled: bool = True


class Schedules(Protocol):
    """The scheduler's jobs, one a name."""

    def put(self, job: ScheduledJob) -> None:
        """Create a job or replace the one of its name, and let it run; ValueError for a cron that means nothing."""
        ...

    def delete(self, name: str) -> None:
        """Delete a job; nothing happens where there is none."""
        ...

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs."""
        ...
