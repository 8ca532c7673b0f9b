"""Tasks in Cloud Tasks: a queue for the steps of executions, one for their shards, and one for alerts."""

import json
from collections.abc import Mapping

from google.api_core import exceptions, retry
from google.cloud import tasks_v2

from functions.domain import tracing
from functions.domain.task_limits import check_task, dispatch_deadline
from functions.gcp.trouble import PASSING, translated
from functions.ports.queue import Clock, Task
from functions.settings import CloudSettings

_PATIENCE_SECONDS = 20.0
_SHARD, _ALERT = "send_shard", "send_alert"


class CloudTaskQueue:
    """Implements TaskQueue. Every task has an ID token of the account that is allowed to call the functions."""

    def __init__(self, client: tasks_v2.CloudTasksClient, settings: CloudSettings, clock: Clock) -> None:
        self._client, self._settings, self._clock = client, settings, clock

    def add(self, task: Task) -> bool:
        """Add a task; False if its name was used before, within one hour at least and one day at most.

        If a create succeeded but its answer was lost, the repetition is refused, which counts as done.
        """
        body = json.dumps(task.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **_traced(task)}
        size_bytes = len(task.name) + len(task.function) + len(body) + sum(map(len, (*headers, *headers.values())))
        check_task(task.name, size_bytes, task.at, self._clock.now())
        queue, setting = self._queue_of(task.function)
        parent = self._client.queue_path(self._settings.project, self._settings.location, queue)
        request = tasks_v2.CreateTaskRequest(parent=parent, task=self._message(parent, task, headers, body))
        attempts = 0

        def create() -> None:
            nonlocal attempts
            attempts += 1
            self._client.create_task(request, timeout=_PATIENCE_SECONDS / 2)

        again = retry.Retry(predicate=retry.if_exception_type(*PASSING), initial=0.1, timeout=_PATIENCE_SECONDS)
        with translated("Cloud Tasks", setting):
            try:
                again(create)()
            except exceptions.AlreadyExists:
                return attempts > 1
        return True

    def _queue_of(self, function: str) -> tuple[str, str]:
        """Return the queue of a function's tasks, and the setting that names it."""
        if function == _SHARD:
            return self._settings.shard_queue, "SHARD_QUEUE"
        if function == _ALERT:
            return self._settings.alert_queue, "ALERT_QUEUE"
        return self._settings.task_queue, "TASK_QUEUE"

    def _message(self, parent: str, task: Task, headers: Mapping[str, str], body: bytes) -> tasks_v2.Task:
        url = self._settings.url_of(task.function)
        return tasks_v2.Task(
            name=f"{parent}/tasks/{task.name}",
            schedule_time=task.at,
            dispatch_deadline=dispatch_deadline(task.function),
            http_request=tasks_v2.HttpRequest(
                url=url,
                http_method=tasks_v2.HttpMethod.POST,
                headers=headers,
                body=body,
                oidc_token=tasks_v2.OidcToken(service_account_email=self._settings.task_caller, audience=url),
            ),
        )


def _traced(task: Task) -> Mapping[str, str]:
    """Return the header with the task's trace. Cloud Tasks passes headers on, except a few names of its own."""
    header = tracing.traceparent(task.trace)
    return {tracing.HEADER: header} if header else {}
