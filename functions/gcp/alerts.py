"""Alerts as lines of the log, where an alert policy finds them."""

import logging

from functions.domain.alerts.alert import Alert
from functions.logs import log


class LogAlerts:
    """Implements Alerts: `action` is "alert", by which Cloud Monitoring counts and passes them on."""

    def send(self, alert: Alert) -> None:
        """Write an alert to the log."""
        extra = {"action": "alert", "kind": alert.kind, "execution": alert.execution_id, "details": alert.details}
        log.log(logging.ERROR if alert.urgent else logging.INFO, alert.message, extra=extra)
