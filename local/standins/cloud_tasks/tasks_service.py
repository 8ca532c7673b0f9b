"""Cloud Tasks v2: queues and tasks over gRPC.

cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from google.cloud import tasks_v2

from functions.domain.task_limits import LARGEST_TASK_BYTES
from functions.ports.queue import Clock, Task
from local.embedded.delivery import Delivery
from local.standins.cloud_tasks.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unimplemented,
)
from local.standins.cloud_tasks.http_call import check_target
from local.standins.cloud_tasks.masks import merged
from local.standins.cloud_tasks.messages import task_now, to_document, to_the_second
from local.standins.cloud_tasks.names import check_location, check_queue, split_task
from local.standins.cloud_tasks.pages import page_of
from local.standins.cloud_tasks.queue_settings import complete
from local.standins.cloud_tasks.queues import Queues

_SHORTEST_DEADLINE, _USUAL_DEADLINE = timedelta(seconds=15), timedelta(minutes=10)
_LONGEST_DEADLINE = timedelta(minutes=30)
_HttpMethod: Any = tasks_v2.HttpMethod
_MOST_QUEUES, _MOST_TASKS = 9800, 1000


class CloudTasks:
    """Answers the calls of Cloud Tasks; passes a task that is run by hand to `run`."""

    def __init__(self, queues: Queues, clock: Clock, run: Callable[[Delivery], None]) -> None:
        self._queues = queues
        self._clock = clock
        self._run = run

    def create_queue(self, request: tasks_v2.CreateQueueRequest) -> tasks_v2.Queue:
        """Create a queue."""
        name = check_queue(request.queue.name, check_location(request.parent))
        if name in self._queues:
            raise AlreadyExists(f"queue {name} already exists")
        self._queues.save(complete(request.queue))
        return self._queues.settings(name)

    def get_queue(self, request: tasks_v2.GetQueueRequest) -> tasks_v2.Queue:
        """Return a queue."""
        return self._queues.settings(check_queue(request.name))

    def list_queues(self, request: tasks_v2.ListQueuesRequest) -> tasks_v2.ListQueuesResponse:
        """Return a page of queues, sorted by name."""
        if request.filter:
            raise Unimplemented("the emulator lists queues without a filter")
        prefix = f"{check_location(request.parent)}/"
        names = [name for name in self._queues.names() if name.startswith(prefix)]
        page, token = page_of(names, request, _MOST_QUEUES)
        return tasks_v2.ListQueuesResponse(
            queues=[self._queues.settings(name) for name in page], next_page_token=token
        )

    def update_queue(self, request: tasks_v2.UpdateQueueRequest) -> tasks_v2.Queue:
        """Change the fields of a queue that the mask names, without a mask all of them; create a missing queue."""
        name = check_queue(request.queue.name)
        queue = request.queue
        if name in self._queues:
            queue = merged(self._queues.settings(name), request.queue, request.update_mask)
            queue.purge_time = self._queues.settings(name).purge_time
        self._queues.save(complete(queue))
        return self._queues.settings(name)

    def delete_queue(self, request: tasks_v2.DeleteQueueRequest) -> None:
        """Delete a queue with its tasks."""
        self._queues.delete(check_queue(request.name))

    def purge_queue(self, request: tasks_v2.PurgeQueueRequest) -> tasks_v2.Queue:
        """Delete all tasks of a queue."""
        settings = self._queues.settings(check_queue(request.name))
        self._queues[settings.name].purge()
        settings.purge_time = self._clock.now()
        self._queues.save(settings)
        return self._queues.settings(settings.name)

    def pause_queue(self, request: tasks_v2.PauseQueueRequest) -> tasks_v2.Queue:
        """Pause a queue: it dispatches nothing more."""
        self._queues[check_queue(request.name)].pause()
        return self._queues.settings(request.name)

    def resume_queue(self, request: tasks_v2.ResumeQueueRequest) -> tasks_v2.Queue:
        """Resume a queue."""
        self._queues[check_queue(request.name)].resume()
        return self._queues.settings(request.name)

    def create_task(self, request: tasks_v2.CreateTaskRequest) -> tasks_v2.Task:
        """Add a task; AlreadyExists if its name was used in the last day."""
        parent, now = check_queue(request.parent), self._clock.now()
        name = request.task.name or f"{parent}/tasks/{uuid.uuid4().int}"
        queue, task_id = split_task(name)
        if queue != parent:
            raise InvalidArgument(f"task {name!r} is not in {parent!r}")
        _check_task(request.task)
        if queue not in self._queues:
            raise FailedPrecondition(self._why_missing(queue))
        at = max(request.task.schedule_time or now, now)
        message = _created(request.task, name, now)
        task = Task(name=task_id, function=message.http_request.url, body=to_document(message), at=at)
        if not self._add(queue, task):
            raise AlreadyExists(f"task {name} exists, or a task with this name existed too recently")
        return self._task(name, request.response_view)

    def get_task(self, request: tasks_v2.GetTaskRequest) -> tasks_v2.Task:
        """Return an unfinished task."""
        return self._task(request.name, request.response_view)

    def list_tasks(self, request: tasks_v2.ListTasksRequest) -> tasks_v2.ListTasksResponse:
        """Return a page of unfinished tasks, in the order in which they were created."""
        queue = self._queues[check_queue(request.parent)]
        size = min(request.page_size or _MOST_TASKS, _MOST_TASKS)
        if request.page_size < 0 or not (request.page_token or "0").isdecimal():
            raise InvalidArgument(f"page_size {request.page_size}, page_token {request.page_token!r}: unknown")
        rows = queue.page(int(request.page_token or 0), size + 1)
        token = str(rows[size - 1]["added"]) if len(rows) > size else ""
        tasks = [task_now(row, request.response_view) for row in rows[:size]]
        return tasks_v2.ListTasksResponse(tasks=tasks, next_page_token=token)

    def delete_task(self, request: tasks_v2.DeleteTaskRequest) -> None:
        """Delete an unfinished task; its name stays taken."""
        queue, task_id = split_task(request.name)
        if not self._queues[queue].delete(task_id):
            raise NotFound(self._why_gone(request.name))

    def run_task(self, request: tasks_v2.RunTaskRequest) -> tasks_v2.Task:
        """Dispatch a task now, and return it as dispatched."""
        queue, task_id = split_task(request.name)
        delivery = self._queues[queue].run_now(task_id)
        if delivery is None:
            raise NotFound(self._why_gone(request.name))
        task = self._task(request.name, request.response_view)
        self._run(delivery)
        return task

    def _add(self, queue: str, task: Task) -> bool:
        try:
            return self._queues[queue].add(task)
        except ValueError as error:
            raise InvalidArgument(str(error)) from error

    def _task(self, name: str, view: tasks_v2.Task.View) -> tasks_v2.Task:
        queue, task_id = split_task(name)
        row = self._queues[queue].find(task_id)
        if row is None or row["done_at"] is not None:
            raise NotFound(self._why_gone(name))
        return task_now(row, view)

    def _why_gone(self, name: str) -> str:
        queue, task_id = split_task(name)
        if self._queues[queue].find(task_id) is None:
            return f"task {name} does not exist"
        return f"task {name} no longer exists: it was either completed or deleted"

    def _why_missing(self, queue: str) -> str:
        if self._queues.was_deleted(queue):
            return f"queue {queue} no longer exists, though a queue with this name existed recently"
        return f"queue {queue} does not exist; create it first"


def _check_task(task: tasks_v2.Task) -> None:
    if "http_request" not in task:
        raise InvalidArgument("the emulator takes tasks with an http_request only")
    if "retry_config" in task:
        raise Unimplemented("the emulator does not support a task's retry_config; set the queue's")
    size = len(tasks_v2.Task.serialize(task))
    if size > LARGEST_TASK_BYTES:
        raise InvalidArgument(f"task of {size:,} bytes; at most {LARGEST_TASK_BYTES:,} are allowed")
    deadline = task.dispatch_deadline
    if "dispatch_deadline" in task and not _SHORTEST_DEADLINE <= deadline <= _LONGEST_DEADLINE:
        raise InvalidArgument(f"dispatch_deadline {deadline}: must be between 15 seconds and 30 minutes")
    check_target(task.http_request)


def _created(task: tasks_v2.Task, name: str, now: datetime) -> tasks_v2.Task:
    fields: dict[str, Any] = {
        "name": name,
        "http_request": task.http_request,
        "create_time": to_the_second(now),
        "dispatch_deadline": task.dispatch_deadline or _USUAL_DEADLINE,
    }
    message = tasks_v2.Task(fields)
    if not message.http_request.http_method:
        message.http_request.http_method = _HttpMethod.POST
    if "oidc_token" in message.http_request and not message.http_request.oidc_token.audience:
        message.http_request.oidc_token.audience = message.http_request.url
    return message
