"""One attempt at a task, as Cloud Tasks makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.domain import tracing
from functions.ports.queue import Task
from local.embedded.instants import to_micros

QUEUE_NAME = "tminus"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A dispatched task. An answer after `deadline` is ignored.

    `attempt` counts from 1, `responses` the answers so far other than 5xx, `previous_response` is the status of
    the attempt before, 0 where it had no answer, and `eta` the instant for which this attempt was scheduled. The
    queue may be named in full, projects/.../queues/ID: headers carry the id.
    """

    task: Task
    queue: str = QUEUE_NAME
    attempt: int
    responses: int
    previous_response: int | None
    eta: datetime
    deadline: datetime
    traceparent: str = ""

    @property
    def function(self) -> str:
        """The function to call."""
        return self.task.function

    @property
    def body(self) -> Mapping[str, Any]:
        """The JSON object to post."""
        return self.task.body

    def headers(self) -> dict[str, str]:
        """Return the request's headers: cloud.google.com/tasks/docs/creating-http-target-tasks#handler."""
        seconds, micros = divmod(to_micros(self.eta), 1_000_000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": self.queue.rpartition("/")[2],
            "X-CloudTasks-TaskName": self.task.name,
            "X-CloudTasks-TaskRetryCount": str(self.attempt - 1),
            "X-CloudTasks-TaskExecutionCount": str(self.responses),
            "X-CloudTasks-TaskETA": f"{seconds}.{micros:06}",
        }
        if self.traceparent:
            headers[tracing.HEADER] = self.traceparent
        if self.previous_response:
            headers["X-CloudTasks-TaskPreviousResponse"] = str(self.previous_response)
        return headers
