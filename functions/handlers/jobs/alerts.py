"""Requests of Cloud Tasks that deliver an alert."""

from collections.abc import Mapping
from typing import Any

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.alerts.outgoing import Fate
from functions.domain.roles import Service
from functions.handlers.http.tracing import traced
from functions.handlers.jobs.admission import admit
from functions.handlers.jobs.errors import answer, refuse
from functions.ports import Ports
from functions.ports.queue import Task
from functions.usecases.alerting.send_alert import send_alert
from functions.usecases.timeline.postpone import postpone

MOST_BODY_BYTES = 10_000
"""A task's body is an alert's id."""


@traced
def handle_send_alert(request: Request) -> Response:
    """Post an alert to the channels that still have to get it."""
    answered = admit(request, Service.TASKS, "send_alert", MOST_BODY_BYTES)
    if answered is not None:
        return answered
    task = request.headers.get("X-CloudTasks-TaskName")
    if not task:
        return refuse(400, "send_alert is called by Cloud Tasks only: the header X-CloudTasks-TaskName is missing")
    body = request.get_json(force=True, silent=True)
    alert_id = body.get("alertId") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(alert_id, str):
        # A task with such a body would fail for ever: answer 2xx so that it is not delivered again.
        return refuse(200, f"task {task} is dropped: alertId is missing from its body")
    ports = bootstrap.ports()
    with logs.context(function="send_alert", alert=alert_id, task=task):
        own = Task(name=task, function="send_alert", body=body, at=ports.clock.now())
        return answer(
            lambda: _send(ports, alert_id),
            ports.clock.now,
            put_off=lambda why: postpone(ports, own, why) is not None,
        )


def _send(ports: Ports, alert_id: str) -> Mapping[str, Any]:
    fates = send_alert(ports, alert_id).fates
    lost = [channel for channel, fate in fates.items() if fate is Fate.GIVEN_UP]
    if lost:
        logs.log.error("channels do not get it", extra={"action": "alert_given_up", "channels": lost})
    return {"result": "done", "channels": {channel: fate.value for channel, fate in fates.items()}}
