"""Requests of Cloud Tasks, each for one step of one execution."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.errors import NotYet, QuotaExceeded, Unreadable
from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import Shard
from functions.domain.roles import Service
from functions.handlers.http.tracing import traced
from functions.handlers.jobs.admission import admit
from functions.handlers.jobs.errors import answer, refuse
from functions.ports import Ports
from functions.ports.queue import Task
from functions.usecases.timeline.build_audience import build_audience
from functions.usecases.timeline.checkpoint import checkpoint
from functions.usecases.timeline.end_unreadable import end_unreadable, fail_unreadable
from functions.usecases.timeline.finish import finish
from functions.usecases.timeline.journal import give_up
from functions.usecases.timeline.postpone import postpone
from functions.usecases.timeline.send_push import send_push
from functions.usecases.timeline.send_shard import send_shard
from functions.usecases.timeline.send_to_testers import send_test

MOST_BODY_BYTES = 100_000
"""Cloud Tasks limits a task to 100 KB: cloud.google.com/tasks/docs/quotas."""


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A use case, and the numbers in its task's body besides the execution's id.

    If FCM's quota is exceeded, a `paced` step is answered 429, which slows its queue down: all of that queue's tasks
    send. Any other step is put off alone.
    """

    run: Callable[..., object]
    numbers: tuple[str, ...] = ()
    paced: bool = False


_STEPS: Mapping[str, _Step] = {
    "build_audience": _Step(run=build_audience),
    "send_test": _Step(run=send_test),
    "checkpoint": _Step(run=checkpoint),
    "send_push": _Step(run=send_push, numbers=("push", "generation")),
    "send_shard": _Step(run=send_shard, numbers=("push", "shard"), paced=True),
    "finish": _Step(run=finish),
}


@traced
def handle_task(function: str, request: Request) -> Response:
    """Run the step of a task."""
    answered = admit(request, Service.TASKS, function, MOST_BODY_BYTES)
    if answered is not None:
        return answered
    task = request.headers.get("X-CloudTasks-TaskName")
    if not task:
        return refuse(400, f"{function} is called by Cloud Tasks only: the header X-CloudTasks-TaskName is missing")
    step = _STEPS[function]
    body = _read_body(request, step)
    if isinstance(body, str):
        # A task with such a body would fail for ever: answer 2xx so that it is not delivered again.
        return refuse(200, f"task {task} is dropped: {body}")
    ports = bootstrap.ports()
    own = Task(name=task, function=function, body=body, at=ports.clock.now())
    with logs.context(function=function, execution=body["executionId"], task=task):
        return answer(
            lambda: _run(ports, function, body),
            ports.clock.now,
            gave_up=lambda error: give_up(ports, body["executionId"], function, error),
            put_off=lambda why: postpone(ports, own, why) is not None,
        )


def _read_body(request: Request, step: _Step) -> dict[str, Any] | str:
    """Return the body, or a sentence about what is wrong with it."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        return "its body is not a JSON object"
    if not isinstance(body.get("executionId"), str):
        return "executionId is missing from its body"
    for name in step.numbers:
        if type(body.get(name)) is not int:
            return f"{name} must be a whole number, got {body.get(name)!r}"
    return body


def _run(ports: Ports, function: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    step, end = _STEPS[function], end_unreadable if function == "finish" else fail_unreadable
    try:
        done = step.run(ports, body["executionId"], *(body[name] for name in step.numbers))
    except Unreadable as error:
        done = end(ports, body["executionId"], str(error))
    except QuotaExceeded as error:
        if step.paced:
            raise
        wait = timedelta(seconds=error.retry_after_seconds)
        raise NotYet(f"{error}; the next attempt", ports.clock.now() + wait) from error
    state = done.state.value if isinstance(done, Execution) else None
    counts = _counts(done.tally) if isinstance(done, Shard) else {}
    logs.log.info("done", extra={"action": "step_done", "state": state, **counts})
    return {"result": "done", "state": state}


def _counts(tally: Tally) -> Mapping[str, int]:
    return {"sent": tally.sent, "failed": tally.failed, "unknown": tally.unknown}
