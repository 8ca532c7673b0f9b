"""Cloud Scheduler's jobs: the embedded scheduler plus pauses, and retries and a deadline for each job."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from sqlite3 import Connection, Row
from zoneinfo import ZoneInfo

from functions.domain.recipe.cron import Cron
from functions.ports.queue import Clock, ScheduledJob
from local.embedded.database import Database
from local.embedded.fire import Fire
from local.embedded.instants import from_micros, to_micros
from local.embedded.retry import RetryPolicy
from local.embedded.scheduler import SqliteSchedules, job_of
from local.embedded.wall_clock import next_strike
from local.standins.cloud_tasks.messages import job_message
from local.standins.cloud_tasks.task_queue import Lateness


class EmulatedSchedules(SqliteSchedules):
    """Stores jobs; a job's body is the message of its last write."""

    def __init__(self, database: Database, clock: Clock, lateness: Lateness) -> None:
        super().__init__(database, clock)
        self._lateness = lateness

    def find(self, name: str) -> Row | None:
        """Return a job, or None."""
        return next(iter(self._database.rows("SELECT * FROM scheduled_jobs WHERE name = ?", (name,))), None)

    def rows(self, location: str) -> Sequence[Row]:
        """Return the jobs of a location, sorted by name."""
        rows = self._database.rows("SELECT * FROM scheduled_jobs ORDER BY name")
        return [row for row in rows if row["name"].startswith(f"{location}/jobs/")]

    def halt(self, name: str) -> None:
        """Pause a job. A running attempt continues, but is not retried."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE scheduled_jobs SET paused = 1 WHERE name = ?", (name,))

    def go_on(self, name: str) -> None:
        """Resume a paused job. It fires next at its first time from now."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT * FROM scheduled_jobs WHERE name = ? AND paused", (name,)).fetchone()
            if row is None:
                return
            connection.execute("UPDATE scheduled_jobs SET paused = 0 WHERE name = ?", (name,))
            if not row["running"]:
                strike = next_strike(Cron.parse(row["cron"]), ZoneInfo(row["zone"]), self._clock.now())
                due = None if strike is None else to_micros(strike)
                query = "UPDATE scheduled_jobs SET strike = ?, due = ?, attempts = 0 WHERE name = ?"
                connection.execute(query, (due, due, name))

    def run_now(self, row: Row) -> Fire:
        """Return the fire of a job that is run by hand; the job's schedule does not change."""
        job, now = job_of(row), self._clock.now()
        with self._database.transaction() as connection:
            query = "UPDATE scheduled_jobs SET attempted = ? WHERE name = ?"
            connection.execute(query, (to_micros(now), job.name))
        return Fire(job=job, schedule_time=now, attempt=1, deadline=now + self._deadline_of(job), manual=True)

    def note(self, fire: Fire, status: int) -> None:
        """Store the answer to a fire by hand, which is not retried."""
        with self._database.transaction() as connection:
            query = "UPDATE scheduled_jobs SET status = ? WHERE name = ?"
            connection.execute(query, (status, fire.job.name))

    def _due(self, connection: Connection, now: datetime) -> Row | None:
        while row := super()._due(connection, now):
            late = self._late(row)
            if not late:
                break
            due = to_micros(from_micros(row["strike"]) + late)
            connection.execute("UPDATE scheduled_jobs SET due = ? WHERE name = ?", (due, row["name"]))
        return row

    def _late(self, row: Row) -> timedelta:
        """Return the lateness of a fire that was not delayed yet: its `due` still equals its `strike`."""
        if row["running"] or row["attempts"] or row["due"] != row["strike"]:
            return timedelta(0)
        return self._lateness(row["name"], row["function"])

    def _retry_of(self, job: ScheduledJob) -> RetryPolicy:
        config = job_message(job).retry_config
        return RetryPolicy(
            max_attempts=config.retry_count + 1,
            max_retry_duration=config.max_retry_duration if config.retry_count else timedelta(0),
            min_backoff=config.min_backoff_duration,
            max_backoff=config.max_backoff_duration,
            max_doublings=config.max_doublings,
        )

    def _deadline_of(self, job: ScheduledJob) -> timedelta:
        deadline: timedelta = job_message(job).attempt_deadline
        return deadline
