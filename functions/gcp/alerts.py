"""Alerts as lines of the log, where an alert policy finds them."""

from functions.logs import log
from functions.ports import Alert


class LogAlerts:
    """Plays Alerts: `action` is "alert", by which Cloud Monitoring counts and passes them on."""

    def send(self, alert: Alert) -> None:
        """Write an alert to the log."""
        log.error(alert.message, extra={"action": "alert", "kind": alert.kind, "execution": alert.execution_id})
