"""Requests of Cloud Tasks, each for one step of one execution."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.errors import Unreadable
from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import Shard
from functions.domain.roles import Service
from functions.handlers.http.tracing import traced
from functions.handlers.jobs.admission import admit
from functions.handlers.jobs.errors import answer, refuse
from functions.ports import Ports
from functions.usecases.timeline.build_audience import build_audience
from functions.usecases.timeline.checkpoint import checkpoint
from functions.usecases.timeline.end_unreadable import end_unreadable
from functions.usecases.timeline.finish import finish
from functions.usecases.timeline.journal import give_up
from functions.usecases.timeline.send_push import send_push
from functions.usecases.timeline.send_shard import send_shard
from functions.usecases.timeline.send_to_testers import send_test

MOST_BODY_BYTES = 100_000
"""Cloud Tasks limits a task to 100 KB: cloud.google.com/tasks/docs/quotas."""


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A use case, and the numbers in its task's body besides the execution's id."""

    run: Callable[..., object]
    numbers: tuple[str, ...] = ()


_STEPS: Mapping[str, _Step] = {
    "build_audience": _Step(run=build_audience),
    "send_test": _Step(run=send_test),
    "checkpoint": _Step(run=checkpoint),
    "send_push": _Step(run=send_push, numbers=("push", "generation")),
    "send_shard": _Step(run=send_shard, numbers=("push", "shard")),
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
    with logs.context(function=function, execution=body["executionId"], task=task):
        return answer(
            lambda: _run(ports, step, body),
            ports.clock.now,
            lambda error: give_up(ports, body["executionId"], function, error),
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


def _run(ports: Ports, step: _Step, body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        done = step.run(ports, body["executionId"], *(body[name] for name in step.numbers))
    except Unreadable as error:
        done = end_unreadable(ports, body["executionId"], str(error))
    state = done.state.value if isinstance(done, Execution) else None
    counts = _counts(done.tally) if isinstance(done, Shard) else {}
    logs.log.info("done", extra={"action": "step_done", "state": state, **counts})
    return {"result": "done", "state": state}


def _counts(tally: Tally) -> Mapping[str, int]:
    return {"sent": tally.sent, "failed": tally.failed, "unknown": tally.unknown}
