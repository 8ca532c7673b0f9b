"""Tell people of something: keep the alert, write it down, and leave its delivery to a task of its own.

No channel is reached from here, so none can hold up or fail what is told about.
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


def tell(ports: Ports, alert: Alert, recipe: Mapping[str, Any] | None) -> None:
    """Send an alert at most once, however many callers send it; `recipe` is the document it concerns, if any."""
    now = ports.clock.now()
    channels = channels_for(recipe, ports.policy.alerts.channels)
    outgoing = OutgoingAlert(alert=alert, at=now, channels=channels, quiet_since=now)
    if ports.alert_store.record(outgoing):
        ports.alerts.send(alert)
    if channels:
        enqueue(ports, outgoing, generation=0, at=now)


def tell_end(ports: Ports, execution: Execution) -> None:
    """Tell how an execution has ended, once; nothing is told while it goes on."""
    stopped = execution.state is State.STOPPED
    alert = ended(execution, ports.violations.of(execution.id) if stopped else ())
    if alert is not None:
        tell(ports, alert, execution.recipe)


def enqueue(ports: Ports, outgoing: OutgoingAlert, *, generation: int, at: datetime) -> None:
    """Enqueue an alert's delivery. Where the queue refuses, reconciling enqueues it later: nothing fails for it."""
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
