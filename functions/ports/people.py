"""People and their tools: who calls, and where alerts go."""

from collections.abc import Mapping
from typing import Any, Protocol

from functions.domain.alerts.alert import Alert
from functions.domain.roles import Caller, Service


class Alerts(Protocol):
    """Writes alerts down where this deployment's people look; it never fails what it tells about."""

    def send(self, alert: Alert) -> None:
        """Write an alert down."""
        ...


class Channels(Protocol):
    """Web addresses by the names of channels."""

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Post JSON to a channel, in one request that takes some seconds at most; no redirect is followed.

        Transient where it may be taken later, QuotaExceeded where the channel says when; Refused where it never will
        be, and Misconfigured if no setting has the channel's address.
        """
        ...


class Callers(Protocol):
    """Knows who calls by the header Authorization of the request, or by what a proxy asserts.

    Unauthenticated if the caller is not authenticated, Transient if that cannot be found out now. What they say
    holds nothing of the token.
    """

    def check_service(self, authorization: str | None, service: Service, function: str) -> None:
        """Raise Forbidden unless the caller is the account by which a service calls a function."""
        ...

    def person(self, authorization: str | None, function: str) -> Caller:
        """Return the person or program that calls a function, with its role; Forbidden where it has none."""
        ...

    def visitor(self, assertion: str | None) -> Caller:
        """Return the person who visits the console, by what the proxy before it asserts; Forbidden as `person`."""
        ...
