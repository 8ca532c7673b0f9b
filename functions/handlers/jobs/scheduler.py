"""Requests of Cloud Scheduler: launch a recipe's execution, and reconcile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.instants import instant
from functions.domain.roles import Service
from functions.handlers.http.tracing import traced
from functions.handlers.jobs.admission import admit
from functions.handlers.jobs.errors import answer, refuse
from functions.ports import Ports
from functions.usecases.timeline.launch import launch
from functions.usecases.timeline.reconcile import reconcile

MOST_BODY_BYTES = 10_000
"""A scheduler job's body is a recipe's id."""
_SCHEDULE_TIME = "X-CloudScheduler-ScheduleTime"
"""The scheduled instant, constant across retries. A job run by hand may lack it."""


@traced
def handle_launch(request: Request) -> Response:
    """Launch the execution of the send for the scheduled instant."""
    answered = admit(request, Service.SCHEDULER, "launch", MOST_BODY_BYTES)
    if answered is not None:
        return answered
    body = request.get_json(force=True, silent=True)
    recipe_id = body.get("recipeId") if isinstance(body, dict) else None
    if not isinstance(recipe_id, str):
        return refuse(400, "recipeId is missing from the body")
    written = request.headers.get(_SCHEDULE_TIME)
    if not written:
        return refuse(400, f"launch is called by Cloud Scheduler only: the header {_SCHEDULE_TIME} is missing")
    try:
        scheduled_at = instant(written)
    except ValueError:
        return refuse(400, f"{_SCHEDULE_TIME} must be an RFC 3339 instant, got {written!r}")
    ports = bootstrap.ports()
    with logs.context(function="launch", recipe=recipe_id, scheduled=written):
        return answer(lambda: _launch(ports, recipe_id, scheduled_at), ports.clock.now)


@traced
def handle_reconcile(request: Request) -> Response:
    """Reconcile schedules, executions and tasks with the recipes."""
    answered = admit(request, Service.SCHEDULER, "reconcile", MOST_BODY_BYTES)
    if answered is not None:
        return answered
    if request.headers.get("X-CloudScheduler") != "true":
        return refuse(400, "reconcile is called by Cloud Scheduler only: the header X-CloudScheduler is missing")
    ports = bootstrap.ports()
    with logs.context(function="reconcile"):
        return answer(lambda: {"result": "done", "drift": list(reconcile(ports).sentences)}, ports.clock.now)


def _launch(ports: Ports, recipe_id: str, scheduled_at: datetime) -> Mapping[str, Any]:
    execution = launch(ports, recipe_id, scheduled_at)
    if execution is None:
        logs.log.info("no send belongs to this time", extra={"action": "nothing_to_launch"})
        return {"result": "nothing to launch"}
    with logs.context(execution=execution.id):
        logs.log.info("launched", extra={"action": "launched", "state": execution.state.value})
    return {"result": "launched", "executionId": execution.id, "state": execution.state.value}
