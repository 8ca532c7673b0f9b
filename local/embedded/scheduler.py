"""A scheduler in SQLite that behaves as Cloud Scheduler does."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from sqlite3 import Connection, Row
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.domain.recipe.cron import Cron
from functions.ports.queue import Clock, ScheduledJob
from local.embedded.database import Database
from local.embedded.documents import to_text
from local.embedded.fire import Fire
from local.embedded.instants import from_micros, to_micros
from local.embedded.retry import RetryPolicy
from local.embedded.wall_clock import last_strike, next_strike

ATTEMPT_DEADLINE = timedelta(minutes=3)
_RETRIES = RetryPolicy(
    max_attempts=6,
    max_retry_duration=timedelta(0),
    min_backoff=timedelta(seconds=5),
    max_backoff=timedelta(seconds=60),
    max_doublings=5,
)

# `strike` is the schedule time of the next fire or of the one under way; `due` is when it may be taken: at its
# strike, after a backoff, or while an attempt runs, at its deadline. Both are null where the cron has no strike.
# A paused job is not taken; `attempted` is when its last attempt began, `status` what that was answered.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS scheduled_jobs (
    name TEXT PRIMARY KEY, cron TEXT NOT NULL, zone TEXT NOT NULL, function TEXT NOT NULL, body TEXT NOT NULL,
    strike INTEGER, due INTEGER, attempts INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0,
    paused INTEGER NOT NULL DEFAULT 0, attempted INTEGER, status INTEGER);
CREATE INDEX IF NOT EXISTS scheduled_jobs_due ON scheduled_jobs (due, name) WHERE NOT paused
"""


class SqliteSchedules:
    """Implements Schedules, and hands out the fires that are due.

    A fire is over when it was answered 2xx, has failed six times, or would be retried after the next one; until then
    its job has no other. Of fires that were not taken while they were due, only the latest comes.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.define(_SCHEMA)

    def put(self, job: ScheduledJob) -> None:
        """Create or replace the job of a name; ValueError for an invalid cron or zone.

        The next fire stays as it was unless cron or zone change; then it is the first one after now.
        """
        strike = _micros(next_strike(Cron.parse(job.cron), _zone(job.zone), self._clock.now()))
        with self._database.transaction() as connection:
            rows = self._database.rows("SELECT * FROM scheduled_jobs WHERE name = ?", (job.name,))
            timing = (strike, strike, 0, 0)
            if rows and (rows[0]["cron"], rows[0]["zone"]) == (job.cron, job.zone):
                timing = tuple(rows[0][column] for column in ("strike", "due", "attempts", "running"))
            kept = tuple(rows[0][column] for column in ("paused", "attempted", "status")) if rows else (0, None, None)
            values = (job.name, job.cron, job.zone, job.function, to_text(job.body), *timing, *kept)
            holders = ", ".join("?" * len(values))
            connection.execute(f"INSERT OR REPLACE INTO scheduled_jobs VALUES ({holders})", values)  # noqa: S608

    def delete(self, name: str) -> None:
        """Delete a job, if it exists."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM scheduled_jobs WHERE name = ?", (name,))

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs, in order of their names."""
        return [job_of(row) for row in self._database.rows("SELECT * FROM scheduled_jobs ORDER BY name")]

    def take(self, now: datetime) -> Fire | None:
        """Start the earliest due fire; None if there is none."""
        with self._database.transaction() as connection:
            while row := self._due(connection, now):
                if not (row["running"] and self._given_up(row, now)):
                    return self._start(connection, row, now)
                _move_on(connection, row)
        return None

    def settle(self, fire: Fire, status: int) -> None:
        """Settle a fire: 2xx ends it, any other answer schedules a retry or gives it up.

        The answer is ignored if the job was replaced, or the fire started again, in the meantime.
        """
        now = self._clock.now()
        query = "SELECT * FROM scheduled_jobs WHERE name = ? AND strike = ? AND attempts = ? AND running"
        with self._database.transaction() as connection:
            key = (fire.job.name, to_micros(fire.schedule_time), fire.attempt)
            row = connection.execute(query, key).fetchone()
            if row is None:
                return
            connection.execute("UPDATE scheduled_jobs SET status = ? WHERE name = ?", (status, row["name"]))
            due = now + self._retry_of(fire.job).backoff(fire.attempt)
            if 200 <= status < 300 or self._given_up(row, now) or _overtaken(row, due):
                _move_on(connection, row)
            else:
                query = "UPDATE scheduled_jobs SET due = ?, running = 0 WHERE name = ?"
                connection.execute(query, (to_micros(due), row["name"]))

    def next_at(self) -> datetime | None:
        """Return when the next fire is due, perhaps in the past; None if there is none."""
        [row] = self._database.rows("SELECT min(due) AS due FROM scheduled_jobs WHERE NOT paused")
        return None if row["due"] is None else from_micros(row["due"])

    def recover(self) -> None:
        """End all running attempts as failed. Call it after the only dispatching process has died."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE scheduled_jobs SET due = strike, running = 0 WHERE running")

    def _due(self, connection: Connection, now: datetime) -> Row | None:
        """Return the job to start at `now`; None if there is none."""
        query = "SELECT * FROM scheduled_jobs WHERE NOT paused AND due <= ? ORDER BY due, name LIMIT 1"
        found: Row | None = connection.execute(query, (to_micros(now),)).fetchone()
        return found

    def _start(self, connection: Connection, row: Row, now: datetime) -> Fire:
        job, strike = job_of(row), from_micros(row["strike"])
        if not row["attempts"]:
            strike = last_strike(Cron.parse(job.cron), ZoneInfo(job.zone), strike, now)
        deadline = now + self._deadline_of(job)
        query = (
            "UPDATE scheduled_jobs SET strike = ?, due = ?, attempts = attempts + 1, running = 1, attempted = ? "
            "WHERE name = ?"
        )
        connection.execute(query, (to_micros(strike), to_micros(deadline), to_micros(now), job.name))
        return Fire(job=job, schedule_time=strike, attempt=row["attempts"] + 1, deadline=deadline)

    def _given_up(self, row: Row, now: datetime) -> bool:
        return self._retry_of(job_of(row)).exhausted(row["attempts"], now - from_micros(row["strike"]))

    def _retry_of(self, job: ScheduledJob) -> RetryPolicy:  # noqa: ARG002 - a scheduler may have one for each job
        return _RETRIES

    def _deadline_of(self, job: ScheduledJob) -> timedelta:  # noqa: ARG002 - as above
        return ATTEMPT_DEADLINE


def _move_on(connection: Connection, row: Row) -> None:
    strike = _micros(next_strike(Cron.parse(row["cron"]), ZoneInfo(row["zone"]), from_micros(row["strike"])))
    query = "UPDATE scheduled_jobs SET strike = ?, due = ?, attempts = 0, running = 0 WHERE name = ?"
    connection.execute(query, (strike, strike, row["name"]))


def _overtaken(row: Row, due: datetime) -> bool:
    """Return whether the job's next strike is not later than `due`."""
    following = next_strike(Cron.parse(row["cron"]), ZoneInfo(row["zone"]), from_micros(row["strike"]))
    return following is not None and following <= due


def job_of(row: Row) -> ScheduledJob:
    """Return the job in a row of the table."""
    body = json.loads(row["body"])
    return ScheduledJob(name=row["name"], cron=row["cron"], zone=row["zone"], function=row["function"], body=body)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write an IANA name such as America/New_York") from None
