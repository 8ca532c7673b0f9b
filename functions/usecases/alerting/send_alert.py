"""Deliver one alert to the channels that still have to get it."""

from datetime import timedelta
from functools import partial

from functions.domain.alerts.cancel_link import make_token
from functions.domain.alerts.outgoing import Fate, OutgoingAlert
from functions.domain.alerts.payload import Links, payload
from functions.domain.errors import Misconfigured, Refused, Transient
from functions.domain.execution.execution import Execution, State
from functions.ports import Ports

_LATE = timedelta(minutes=2)
"""The age from which an alert says that it is late."""


def send_alert(ports: Ports, alert_id: str) -> OutgoingAlert:
    """Post an alert to its channels, and return it with the results. A channel that got it is skipped.

    Transient or QuotaExceeded if a channel has to be tried again, after all others were posted to. If the process
    dies between a channel's answer and its record, the channel gets the alert twice, because webhooks have no way to
    deduplicate.
    """
    now = ports.clock.now()
    outgoing = ports.alert_store.change(alert_id, lambda known: known.claimed(now, ports.policy.lease))
    waiting, trouble = outgoing.waiting, None
    for channel in waiting:
        try:
            fate = _post(ports, outgoing, channel)
        except Transient as error:
            trouble = error
            continue
        outgoing = ports.alert_store.change(alert_id, partial(OutgoingAlert.settled, channel=channel, fate=fate))
    if trouble is not None:
        ports.alert_store.change(alert_id, OutgoingAlert.released)
        raise trouble
    return outgoing


def _post(ports: Ports, outgoing: OutgoingAlert, channel: str) -> Fate:
    alert = outgoing.alert
    execution = ports.executions.get(alert.execution_id) if alert.execution_id else None
    late_since = outgoing.at if ports.clock.now() - outgoing.at > _LATE else None
    made = payload(alert, execution, links(ports, execution), late_since=late_since)
    try:
        ports.channels.post(channel, made)
    except (Refused, Misconfigured):
        return Fate.GIVEN_UP
    return Fate.DELIVERED


def links(ports: Ports, execution: Execution | None) -> Links:
    """Return the links for an execution. There is no cancel link once it is live, has ended, or is due."""
    policy = ports.policy.alerts
    if execution is None or not policy.console_url:
        return Links()
    seen = f"{policy.console_url}/executions/{execution.id}"
    over = execution.state.final or execution.state is State.LIVE or ports.clock.now() >= execution.send_at
    if over or not policy.link_secrets:
        return Links(execution=seen)
    token = make_token(policy.link_secrets, execution.id, execution.send_at)
    return Links(execution=seen, cancel=f"{policy.console_url}/cancel/{token}")
