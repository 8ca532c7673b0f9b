"""A scheduler in SQLite that behaves as Cloud Scheduler does."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from sqlite3 import Connection, Row
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.domain.cron import Cron
from functions.ports import Clock, ScheduledJob
from local.embedded.database import Database
from local.embedded.documents import to_text
from local.embedded.fire import Fire
from local.embedded.instants import from_micros, to_micros
from local.embedded.retry import RetryPolicy
from local.embedded.wall_clock import last_strike, next_strike

ATTEMPT_DEADLINE = timedelta(minutes=3)
_RETRY = RetryPolicy(
    max_attempts=6,
    max_retry_duration=timedelta(0),
    min_backoff=timedelta(seconds=5),
    max_backoff=timedelta(seconds=60),
    max_doublings=5,
)

# `strike` is the schedule time of the next fire or of the one under way; `due` is when it may be taken: at its
# strike, after a backoff, or while an attempt runs, at its deadline. Both are null where the cron has no strike.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS scheduled_jobs (
    name TEXT PRIMARY KEY, cron TEXT NOT NULL, zone TEXT NOT NULL, function TEXT NOT NULL, body TEXT NOT NULL,
    strike INTEGER, due INTEGER, attempts INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS scheduled_jobs_due ON scheduled_jobs (due, name)
"""


class SqliteSchedules:
    """Plays Schedules, and hands out the fires that are due.

    A fire is over when it was answered 2xx or has failed six times; until then its job has no other. Of fires that
    nobody took while they were due, only the latest comes.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.define(_SCHEMA)

    def put(self, job: ScheduledJob) -> None:
        """Create a job or replace the one of its name; ValueError for a cron or zone that means nothing.

        The next fire stays as it was unless cron or zone change; then it is the first one after now.
        """
        strike = _micros(next_strike(Cron.parse(job.cron), _zone(job.zone), self._clock.now()))
        with self._database.transaction() as connection:
            rows = self._database.rows("SELECT * FROM scheduled_jobs WHERE name = ?", (job.name,))
            timing = (strike, strike, 0, 0)
            if rows and (rows[0]["cron"], rows[0]["zone"]) == (job.cron, job.zone):
                timing = tuple(rows[0][column] for column in ("strike", "due", "attempts", "running"))
            values = (job.name, job.cron, job.zone, job.function, to_text(job.body), *timing)
            connection.execute("INSERT OR REPLACE INTO scheduled_jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def delete(self, name: str) -> None:
        """Delete a job; nothing happens where there is none."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM scheduled_jobs WHERE name = ?", (name,))

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs, in order of their names."""
        return [_job(row) for row in self._database.rows("SELECT * FROM scheduled_jobs ORDER BY name")]

    def take(self, now: datetime) -> Fire | None:
        """Start the earliest fire that is due, None where there is none."""
        query = "SELECT * FROM scheduled_jobs WHERE due <= ? ORDER BY due, name LIMIT 1"
        with self._database.transaction() as connection:
            while rows := self._database.rows(query, (to_micros(now),)):
                if not (rows[0]["running"] and _given_up(rows[0])):
                    return _start(connection, rows[0], now)
                _move_on(connection, rows[0])
        return None

    def settle(self, fire: Fire, status: int) -> None:
        """Take a fire's answer: 2xx ends it, anything else schedules a retry or gives it up.

        The answer counts for nothing where the job was replaced, or the fire started again, in the meantime.
        """
        query = "SELECT * FROM scheduled_jobs WHERE name = ? AND strike = ? AND attempts = ? AND running"
        with self._database.transaction() as connection:
            key = (fire.job.name, to_micros(fire.schedule_time), fire.attempt)
            row = connection.execute(query, key).fetchone()
            if row is None:
                return
            if 200 <= status < 300 or _given_up(row):
                _move_on(connection, row)
            else:
                due = to_micros(self._clock.now() + _RETRY.backoff(fire.attempt))
                connection.execute(
                    "UPDATE scheduled_jobs SET due = ?, running = 0 WHERE name = ?", (due, row["name"])
                )

    def next_at(self) -> datetime | None:
        """Return when the next fire is due, which may have passed; None where there is none."""
        [row] = self._database.rows("SELECT min(due) AS due FROM scheduled_jobs")
        return None if row["due"] is None else from_micros(row["due"])

    def recover(self) -> None:
        """End all running attempts as failed: call it where the only process that made them has died."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE scheduled_jobs SET due = strike, running = 0 WHERE running")


def _start(connection: Connection, row: Row, now: datetime) -> Fire:
    strike = from_micros(row["strike"])
    if not row["attempts"]:
        strike = last_strike(Cron.parse(row["cron"]), ZoneInfo(row["zone"]), strike, now)
    deadline = now + ATTEMPT_DEADLINE
    query = "UPDATE scheduled_jobs SET strike = ?, due = ?, attempts = attempts + 1, running = 1 WHERE name = ?"
    connection.execute(query, (to_micros(strike), to_micros(deadline), row["name"]))
    return Fire(job=_job(row), schedule_time=strike, attempt=row["attempts"] + 1, deadline=deadline)


def _move_on(connection: Connection, row: Row) -> None:
    strike = _micros(next_strike(Cron.parse(row["cron"]), ZoneInfo(row["zone"]), from_micros(row["strike"])))
    query = "UPDATE scheduled_jobs SET strike = ?, due = ?, attempts = 0, running = 0 WHERE name = ?"
    connection.execute(query, (strike, strike, row["name"]))


def _given_up(row: Row) -> bool:
    return _RETRY.exhausted(row["attempts"], timedelta(0))


def _job(row: Row) -> ScheduledJob:
    body = json.loads(row["body"])
    return ScheduledJob(name=row["name"], cron=row["cron"], zone=row["zone"], function=row["function"], body=body)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{name!r} is no time zone; write an IANA name such as America/New_York") from None
