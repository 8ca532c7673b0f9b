"""The client libraries' messages, and how the embedded queue and scheduler store them.

A task's URL is stored as its function, the rest of the message as its body. The same holds for a job.
"""

import json
from datetime import datetime
from sqlite3 import Row
from typing import Any

from google.cloud import scheduler_v1, tasks_v2

from functions.ports.queue import ScheduledJob, Task
from local.embedded.instants import from_micros
from local.embedded.queue import task_of
from local.embedded.scheduler import job_of

_View: Any = tasks_v2.Task.View
_CODES = {0: 14, 400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 500: 13, 501: 12, 503: 14, 504: 4}
"""google.rpc.Code by HTTP status, as in google/rpc/code.proto; 2, UNKNOWN, for all others."""


def to_document(message: Any) -> dict[str, Any]:
    """Return a message as a JSON object."""
    document: dict[str, Any] = json.loads(type(message).to_json(message, indent=None))
    return document


def task_message(task: Task) -> tasks_v2.Task:
    """Return the message that a task was created with."""
    message: tasks_v2.Task = tasks_v2.Task.from_json(json.dumps(task.body))
    return message


def job_message(job: ScheduledJob) -> scheduler_v1.Job:
    """Return the message that a job was last written with."""
    message: scheduler_v1.Job = scheduler_v1.Job.from_json(json.dumps(job.body))
    return message


def task_now(row: Row, view: tasks_v2.Task.View) -> tasks_v2.Task:
    """Return a task with its current status. The view BASIC, the default, leaves its body out."""
    task = task_message(task_of(row))
    task.schedule_time = from_micros(row["eta"])
    task.dispatch_count = row["attempts"]
    task.response_count = row["answers"]
    if row["attempts"]:
        task.first_attempt = tasks_v2.Attempt(dispatch_time=from_micros(row["first_attempt"]))
        task.last_attempt = _last_attempt(row)
    task.view = _View.FULL if view == _View.FULL else _View.BASIC
    if task.view == _View.BASIC:
        task.http_request.body = b""
    return task


def job_now(row: Row) -> scheduler_v1.Job:
    """Return a job with its current status."""
    job = job_message(job_of(row))
    if row["due"] is not None and not row["paused"]:
        job.schedule_time = from_micros(row["strike"] if row["running"] else row["due"])
    if row["attempted"] is not None:
        job.last_attempt_time = from_micros(row["attempted"])
    if row["status"] is not None:
        job.status = _rpc_status(row["status"])
    return job


def to_the_second(at: datetime) -> datetime:
    """Return an instant without the fraction of its second."""
    return at.replace(microsecond=0)


def _last_attempt(row: Row) -> tasks_v2.Attempt:
    attempt = tasks_v2.Attempt(
        schedule_time=from_micros(row["last_eta"]), dispatch_time=from_micros(row["last_attempt"])
    )
    if row["last_answer"] is not None:
        attempt.response_time = from_micros(row["last_answer"])
        attempt.response_status = _rpc_status(row["previous_response"])
    return attempt


def _rpc_status(status: int) -> dict[str, Any]:
    if 200 <= status < 300:
        return {}
    message = f"HTTP status code {status}" if status else "no answer"
    return {"code": _CODES.get(status, 2), "message": message}
