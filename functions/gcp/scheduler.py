"""Jobs in Cloud Scheduler: one for each active recipe."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from google.api_core import exceptions, retry
from google.cloud import scheduler_v1

from functions.domain.errors import Conflict
from functions.gcp.trouble import PASSING, translated
from functions.ports.queue import ScheduledJob
from functions.settings import CloudSettings

T = TypeVar("T")

ATTEMPT_DEADLINE = timedelta(minutes=3)
_ENABLED = scheduler_v1.Job.State.ENABLED
_RETRY = scheduler_v1.RetryConfig(
    retry_count=5,
    min_backoff_duration=timedelta(seconds=5),
    max_backoff_duration=timedelta(seconds=60),
    max_doublings=5,
)
_PATIENCE_SECONDS = 30.0
_MOST_TURNS = 5
_translated = partial(translated, "Cloud Scheduler", "GOOGLE_CLOUD_LOCATION")


class CloudSchedules:
    """Implements Schedules in one location of a project. Jobs that do not call Tminus's functions are ignored."""

    def __init__(self, client: scheduler_v1.CloudSchedulerClient, settings: CloudSettings) -> None:
        self._client, self._settings = client, settings
        self._parent = f"projects/{settings.project}/locations/{settings.location}"

    def put(self, job: ScheduledJob) -> None:
        """Create a job or replace the one of its name; ValueError for an invalid cron or zone."""
        message = self._message(job)
        with _translated():
            for _ in range(_MOST_TURNS):
                try:
                    self._put(message)
                except exceptions.InvalidArgument as error:
                    raise ValueError(f"schedule {job.name}: {error.message}") from error
                except (exceptions.AlreadyExists, exceptions.NotFound, exceptions.FailedPrecondition):
                    continue  # another process created, deleted, paused or resumed it at the same moment
                return
        raise Conflict(f"schedule {job.name} changes while it is being written")

    def delete(self, name: str) -> None:
        """Delete a job, if it exists."""
        with _translated():
            try:
                _patiently(lambda: self._client.delete_job(name=self._path(name), **_once()))
            except exceptions.NotFound:
                return

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs that call Tminus's functions, in order of their names.

        A job without the right ID token is returned as paused, because its calls are refused.
        """
        with _translated():
            found = _patiently(lambda: list(self._client.list_jobs(parent=self._parent, **_once())))
        jobs = [job for message in found if (job := self._read(message))]
        return sorted(jobs, key=lambda job: job.name)

    def _put(self, message: scheduler_v1.Job) -> None:
        """Create or update a job, and resume it if it was paused by hand or an update failed halfway."""
        try:
            stored = _patiently(lambda: self._client.get_job(name=message.name, **_once()))
        except exceptions.NotFound:
            stored = _patiently(lambda: self._client.create_job(parent=self._parent, job=message, **_once()))
        else:
            stored = _patiently(lambda: self._client.update_job(job=message, **_once()))
        if stored.state is not _ENABLED:
            _patiently(lambda: self._client.resume_job(name=message.name, **_once()))

    def _message(self, job: ScheduledJob) -> scheduler_v1.Job:
        url = self._settings.url_of(job.function)
        return scheduler_v1.Job(
            name=self._path(job.name),
            schedule=job.cron,
            time_zone=job.zone,
            retry_config=_RETRY,
            attempt_deadline=ATTEMPT_DEADLINE,
            http_target=scheduler_v1.HttpTarget(
                uri=url,
                http_method=scheduler_v1.HttpMethod.POST,
                headers={"Content-Type": "application/json"},
                body=json.dumps(job.body, ensure_ascii=False).encode(),
                oidc_token=self._token_for(job.function),
            ),
        )

    def _read(self, message: scheduler_v1.Job) -> ScheduledJob | None:
        """Return a job; None if it does not call Tminus's functions. An invalid body is returned as empty."""
        function = self._settings.function_at(message.http_target.uri)
        if function is None:
            return None
        try:
            body = json.loads(message.http_target.body or b"{}")
        except ValueError:
            body = {}
        return ScheduledJob(
            name=message.name.rpartition("/")[2],
            cron=message.schedule,
            zone=message.time_zone,
            function=function,
            body=body if isinstance(body, dict) else {},
            enabled=message.state is _ENABLED and message.http_target.oidc_token == self._token_for(function),
        )

    def _token_for(self, function: str) -> scheduler_v1.OidcToken:
        return scheduler_v1.OidcToken(
            service_account_email=self._settings.scheduler_caller, audience=self._settings.url_of(function)
        )

    def _path(self, name: str) -> str:
        return f"{self._parent}/jobs/{name}"


def _once() -> dict[str, Any]:
    """Return the options for a single call. By default the client repeats calls for ten minutes."""
    return {"retry": None, "timeout": _PATIENCE_SECONDS / 2}


def _patiently(call: Callable[[], T]) -> T:
    again = retry.Retry(predicate=retry.if_exception_type(*PASSING), initial=0.1, timeout=_PATIENCE_SECONDS)
    done: T = again(call)()
    return done
