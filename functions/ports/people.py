"""Callers of the functions, and receivers of alerts."""

from collections.abc import Mapping
from typing import Any, Protocol

from functions.domain.alerts.alert import Alert
from functions.domain.roles import Caller, Service


class Alerts(Protocol):
    """Writes alerts where the operators of this deployment look. It never raises."""

    def send(self, alert: Alert) -> None:
        """Write an alert."""
        ...


class Channels(Protocol):
    """Posts to channels, which have names and web addresses."""

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Post JSON to a channel, in one request that takes some seconds at most. Redirects are not followed.

        Transient if the channel may accept it later, QuotaExceeded if the channel says when, Refused if it never
        will, and Misconfigured if no setting has the channel's address.
        """
        ...


class Callers(Protocol):
    """Authenticates callers by the Authorization header of the request, or by the assertion of a proxy.

    Unauthenticated if the caller is not authenticated, Transient if that cannot be checked now. Their messages
    contain nothing of the token.
    """

    def check_service(
        self, authorization: str | None, service: Service, function: str, passed_through: bool = False
    ) -> None:
        """Raise Forbidden unless the caller is the service's account.

        `passed_through` says that the platform has checked another header than Authorization, and not this one.
        """
        ...

    def person(self, authorization: str | None, function: str) -> Caller:
        """Return the person or program that calls a function, with its role; Forbidden without a role."""
        ...

    def asserted(self, assertion: str | None) -> str:
        """Return the e-mail address that the proxy asserts, whatever the role; empty if it asserts none."""
        ...

    def visitor(self, assertion: str | None) -> Caller:
        """Return the visitor of the console, as the proxy in front of it asserts; Forbidden as in `person`."""
        ...
