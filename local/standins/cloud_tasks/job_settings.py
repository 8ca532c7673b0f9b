"""The settings of a job, with Cloud Scheduler's defaults and limits.

cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1
"""

from datetime import timedelta
from typing import Any

from google.cloud import scheduler_v1

from local.embedded.scheduler import ATTEMPT_DEADLINE
from local.standins.cloud_tasks.errors import InvalidArgument
from local.standins.cloud_tasks.http_call import check_target

_SHORTEST_DEADLINE, _LONGEST_DEADLINE = timedelta(seconds=15), timedelta(minutes=30)
_HttpMethod: Any = scheduler_v1.HttpMethod
_MOST_RETRIES = 5
_LONGEST_DESCRIPTION = 500
_LARGEST_JOB_BYTES = 1024 * 1024


def complete(job: scheduler_v1.Job) -> scheduler_v1.Job:
    """Return the fields of a job that its user sets, with defaults; InvalidArgument for what the service refuses.

    The scheduler checks cron and zone later, when it reads them.
    """
    _check(job)
    target = scheduler_v1.HttpTarget.deserialize(scheduler_v1.HttpTarget.serialize(job.http_target))
    target.http_method = target.http_method or _HttpMethod.POST
    if "oidc_token" in target and not target.oidc_token.audience:
        target.oidc_token.audience = target.uri
    return scheduler_v1.Job(
        name=job.name,
        description=job.description,
        schedule=job.schedule,
        time_zone="UTC" if job.time_zone.upper() in {"", "UTC", "ETC/UTC"} else job.time_zone,
        http_target=target,
        retry_config=_retry_config(job.retry_config),
        attempt_deadline=job.attempt_deadline or ATTEMPT_DEADLINE,
    )


def _check(job: scheduler_v1.Job) -> None:
    if "http_target" not in job:
        raise InvalidArgument(f"job {job.name}: the emulator takes jobs with an http_target only")
    if len(job.description) > _LONGEST_DESCRIPTION:
        raise InvalidArgument(f"job {job.name}: description of over {_LONGEST_DESCRIPTION} characters")
    size = len(scheduler_v1.Job.serialize(job))
    if size > _LARGEST_JOB_BYTES:
        raise InvalidArgument(f"job {job.name}: {size:,} bytes; at most {_LARGEST_JOB_BYTES:,} are allowed")
    deadline = job.attempt_deadline
    if "attempt_deadline" in job and not _SHORTEST_DEADLINE <= deadline <= _LONGEST_DEADLINE:
        raise InvalidArgument(
            f"job {job.name}: attempt_deadline {deadline} must be between 15 seconds and 30 minutes"
        )
    check_target(job.http_target)


def _retry_config(given: scheduler_v1.RetryConfig) -> scheduler_v1.RetryConfig:
    config = scheduler_v1.RetryConfig(
        retry_count=given.retry_count,
        max_retry_duration=given.max_retry_duration,
        min_backoff_duration=given.min_backoff_duration or timedelta(seconds=5),
        max_backoff_duration=given.max_backoff_duration or timedelta(hours=1),
        max_doublings=given.max_doublings or 5,
    )
    if not 0 <= config.retry_count <= _MOST_RETRIES:
        raise InvalidArgument(f"retry_count {config.retry_count}: 0 to {_MOST_RETRIES}")
    if not timedelta(0) <= config.min_backoff_duration <= config.max_backoff_duration:
        raise InvalidArgument(
            f"min_backoff_duration {config.min_backoff_duration} is above "
            f"max_backoff_duration {config.max_backoff_duration}, or below 0"
        )
    return config
