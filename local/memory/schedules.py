"""A scheduler in memory that behaves as Cloud Scheduler does."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.domain.recipe.cron import Cron
from functions.ports.queue import Clock, ScheduledJob
from local.embedded.fire import Fire
from local.embedded.retry import RetryPolicy
from local.embedded.scheduler import ATTEMPT_DEADLINE
from local.embedded.wall_clock import last_strike, next_strike

_RETRIES = RetryPolicy(
    max_attempts=6,
    max_retry_duration=timedelta(0),
    min_backoff=timedelta(seconds=5),
    max_backoff=timedelta(seconds=60),
    max_doublings=5,
)


@dataclass
class _Entry:
    job: ScheduledJob
    cron: Cron
    zone: ZoneInfo
    strike: datetime | None
    due: datetime | None
    attempts: int = 0
    running: bool = False

    def move_on(self) -> None:
        assert self.strike is not None
        self.strike = self.due = next_strike(self.cron, self.zone, self.strike)
        self.attempts, self.running = 0, False


class MemorySchedules:
    """Implements Schedules, and hands out due fires; see `local.embedded.scheduler`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, _Entry] = {}
        self._writing = threading.RLock()

    def put(self, job: ScheduledJob) -> None:
        """Create or replace the job of a name; ValueError for an invalid cron or zone.

        The next fire stays as it was unless cron or zone change; then it is the first one after now.
        """
        cron, zone = Cron.parse(job.cron), _zone(job.zone)
        strike = next_strike(cron, zone, self._clock.now())
        with self._writing:
            entry = _Entry(job, cron, zone, strike, strike)
            stored = self._jobs.get(job.name)
            if stored is not None and (stored.job.cron, stored.job.zone) == (job.cron, job.zone):
                entry.strike, entry.due = stored.strike, stored.due
                entry.attempts, entry.running = stored.attempts, stored.running
            self._jobs[job.name] = entry

    def delete(self, name: str) -> None:
        """Delete a job, if it exists."""
        self._jobs.pop(name, None)

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs, in order of their names."""
        return [self._jobs[name].job for name in sorted(self._jobs)]

    def take(self, now: datetime) -> Fire | None:
        """Start the earliest due fire; None if there is none."""
        with self._writing:
            while (entry := self._next()) is not None and entry.due is not None and entry.due <= now:
                if not (entry.running and self._given_up(entry, now)):
                    return _start(entry, now)
                entry.move_on()
        return None

    def settle(self, fire: Fire, status: int) -> None:
        """Settle a fire: 2xx ends it, any other answer schedules a retry or gives it up."""
        now = self._clock.now()
        with self._writing:
            entry = self._jobs.get(fire.job.name)
            if entry is None or not entry.running or entry.strike != fire.schedule_time:
                return
            if entry.attempts != fire.attempt:
                return
            due = now + _RETRIES.backoff(fire.attempt)
            following = next_strike(entry.cron, entry.zone, fire.schedule_time)
            overtaken = following is not None and following <= due
            if 200 <= status < 300 or self._given_up(entry, now) or overtaken:
                entry.move_on()
            else:
                entry.due, entry.running = due, False

    def next_at(self) -> datetime | None:
        """Return when the next fire is due, perhaps in the past; None if there is none."""
        entry = self._next()
        return None if entry is None else entry.due

    def _next(self) -> _Entry | None:
        due = [entry for entry in self._jobs.values() if entry.due is not None]
        return min(due, key=lambda entry: (entry.due, entry.job.name), default=None)

    def _given_up(self, entry: _Entry, now: datetime) -> bool:
        return _RETRIES.exhausted(entry.attempts, now - (entry.strike or now))


def _start(entry: _Entry, now: datetime) -> Fire:
    assert entry.strike is not None
    if not entry.attempts:
        entry.strike = last_strike(entry.cron, entry.zone, entry.strike, now)
    entry.due = now + ATTEMPT_DEADLINE
    entry.attempts += 1
    entry.running = True
    return Fire(job=entry.job, schedule_time=entry.strike, attempt=entry.attempts, deadline=entry.due)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write an IANA name such as America/New_York") from None
