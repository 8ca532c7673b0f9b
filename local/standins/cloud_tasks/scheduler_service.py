"""Cloud Scheduler v1: jobs over gRPC.

cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1
"""

import threading
import uuid
from collections.abc import Callable
from sqlite3 import Row
from typing import Any

from google.cloud import scheduler_v1

from functions.ports.queue import Clock, ScheduledJob
from local.embedded.fire import Fire
from local.embedded.scheduler import job_of
from local.standins.cloud_tasks.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from local.standins.cloud_tasks.job_settings import complete
from local.standins.cloud_tasks.masks import merged
from local.standins.cloud_tasks.messages import job_message, job_now, to_document
from local.standins.cloud_tasks.names import check_job, check_location
from local.standins.cloud_tasks.pages import page_of
from local.standins.cloud_tasks.schedules import EmulatedSchedules

_MOST_JOBS = 500
_State: Any = scheduler_v1.Job.State


class CloudScheduler:
    """Answers the calls of Cloud Scheduler; passes a job that is run by hand to `run`."""

    def __init__(self, schedules: EmulatedSchedules, clock: Clock, run: Callable[[Fire], None]) -> None:
        self._schedules = schedules
        self._clock = clock
        self._run = run
        self._lock = threading.Lock()

    def create_job(self, request: scheduler_v1.CreateJobRequest) -> scheduler_v1.Job:
        """Create a job."""
        location = check_location(request.parent)
        name = check_job(request.job.name or f"{location}/jobs/{uuid.uuid4().int}", location)
        job = complete(request.job)
        job.name = name
        with self._lock:
            if self._schedules.find(name):
                raise AlreadyExists(f"job {name} already exists")
            self._put(job, _State.ENABLED)
        return job_now(self._row(name))

    def get_job(self, request: scheduler_v1.GetJobRequest) -> scheduler_v1.Job:
        """Return a job."""
        return job_now(self._row(check_job(request.name)))

    def list_jobs(self, request: scheduler_v1.ListJobsRequest) -> scheduler_v1.ListJobsResponse:
        """Return a page of jobs, sorted by name."""
        rows = self._schedules.rows(check_location(request.parent))
        page, token = page_of(rows, request, _MOST_JOBS)
        return scheduler_v1.ListJobsResponse(jobs=[job_now(row) for row in page], next_page_token=token)

    def update_job(self, request: scheduler_v1.UpdateJobRequest) -> scheduler_v1.Job:
        """Change the fields of a job that the mask names, without a mask all of them. A paused job stays paused."""
        with self._lock:
            stored = job_message(job_of(self._row(check_job(request.job.name))))
            job = complete(merged(stored, request.job, request.update_mask))
            job.name = stored.name
            self._put(job, _State.PAUSED if stored.state == _State.PAUSED else _State.ENABLED)
            if stored.state == _State.UPDATE_FAILED:
                self._schedules.go_on(stored.name)
        return job_now(self._row(stored.name))

    def leave_update_failed(self, request: scheduler_v1.UpdateJobRequest) -> None:
        """Leave a job in the state of an update that failed half-way."""
        with self._lock:
            self._change_state(request.job.name, _State.UPDATE_FAILED)
            self._schedules.halt(request.job.name)

    def delete_job(self, request: scheduler_v1.DeleteJobRequest) -> None:
        """Delete a job."""
        with self._lock:
            self._schedules.delete(self._row(check_job(request.name))["name"])

    def pause_job(self, request: scheduler_v1.PauseJobRequest) -> scheduler_v1.Job:
        """Pause an enabled job; FailedPrecondition in any other state."""
        with self._lock:
            self._require(request.name, _State.ENABLED)
            self._change_state(request.name, _State.PAUSED)
            self._schedules.halt(request.name)
        return job_now(self._row(request.name))

    def resume_job(self, request: scheduler_v1.ResumeJobRequest) -> scheduler_v1.Job:
        """Resume a paused job from its next time on; FailedPrecondition in any other state."""
        with self._lock:
            self._require(request.name, _State.PAUSED)
            self._change_state(request.name, _State.ENABLED)
            self._schedules.go_on(request.name)
        return job_now(self._row(request.name))

    def run_job(self, request: scheduler_v1.RunJobRequest) -> scheduler_v1.Job:
        """Call a job's target now, also while it is paused or running."""
        fire = self._schedules.run_now(self._row(check_job(request.name)))
        job = job_now(self._row(request.name))
        self._run(fire)
        return job

    def _row(self, name: str) -> Row:
        row = self._schedules.find(name)
        if row is None:
            raise NotFound(f"job {name} does not exist")
        return row

    def _require(self, name: str, state: Any) -> None:
        found = job_message(job_of(self._row(check_job(name)))).state
        if found != state:
            raise FailedPrecondition(f"job {name} is {_State(found).name}; it must be {_State(state).name}")

    def _change_state(self, name: str, state: Any) -> None:
        self._put(job_message(job_of(self._row(check_job(name)))), state)

    def _put(self, job: scheduler_v1.Job, state: Any) -> None:
        job.state = state
        job.user_update_time = self._clock.now()
        body, url = to_document(job), job.http_target.uri
        try:
            self._schedules.put(
                ScheduledJob(name=job.name, cron=job.schedule, zone=job.time_zone, function=url, body=body)
            )
        except ValueError as error:
            raise InvalidArgument(f"job {job.name}: {error}") from error
