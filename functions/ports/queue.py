"""The clock, the task queue and the scheduler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """The only source of the time."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """A request to one of the functions, due at an instant. A second task of the same name is dropped.

    `trace` is the id of the trace that the request belongs to; empty: the trace of the request that adds the task.
    """

    name: str
    function: str
    body: Mapping[str, Any]
    at: datetime
    trace: str = field(default="", compare=False, repr=False)


class TaskQueue(Protocol):
    """Delivers tasks at least once, in any order, sometimes late."""

    def add(self, task: Task) -> bool:
        """Add a task; False if its name was used before."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScheduledJob:
    """A cron in a zone that calls a function. `enabled` is False if an operator paused it by hand."""

    name: str
    cron: str
    zone: str
    function: str
    body: Mapping[str, Any]
    enabled: bool = True


class Schedules(Protocol):
    """The scheduler's jobs, by unique names."""

    def put(self, job: ScheduledJob) -> None:
        """Create or replace the job of a name, and enable it; ValueError for an invalid cron."""
        ...

    def delete(self, name: str) -> None:
        """Delete a job, if it exists."""
        ...

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs."""
        ...
