"""Raise alerts: store the alert, log it, and enqueue a task that delivers it.

Nothing here calls a channel, so a channel can neither delay nor fail a step.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.domain.alerts.alert import Alert, channels_for, ended
from functions.domain.alerts.outgoing import OutgoingAlert
from functions.domain.errors import TminusError
from functions.domain.execution.execution import Execution, State
from functions.domain.ids import task_name
from functions.ports import Ports
from functions.ports.queue import Task


def raise_alert(ports: Ports, alert: Alert, recipe: Mapping[str, Any] | None) -> None:
    """Raise an alert once, however often this is called; `recipe` is the document that it concerns, if any."""
    now = ports.clock.now()
    channels = channels_for(recipe, ports.policy.alerts.channels)
    outgoing = OutgoingAlert(alert=alert, at=now, channels=channels, quiet_since=now)
    if ports.alert_store.record(outgoing):
        ports.alerts.send(alert)
    if channels:
        enqueue(ports, outgoing, generation=0, at=now)


def raise_end_alert(ports: Ports, execution: Execution) -> None:
    """Raise the alert about the end of an execution, once. Do nothing while the execution runs."""
    stopped = execution.state is State.STOPPED
    alert = ended(execution, ports.violations.of(execution.id) if stopped else ())
    if alert is not None:
        raise_alert(ports, alert, execution.recipe)


def enqueue(ports: Ports, outgoing: OutgoingAlert, *, generation: int, at: datetime) -> None:
    """Enqueue the delivery of an alert.

    If the queue refuses it, reconcile enqueues it later, and no error is raised.
    """
    task = Task(
        name=task_name(outgoing.id, "alert", generation),
        function="send_alert",
        body={"alertId": outgoing.id, "generation": generation},
        at=at,
    )
    try:
        ports.tasks.add(task)
    except TminusError:
        return
