"""Callers on a laptop, who are not authenticated."""

from functions.domain.roles import Caller, Role, Service
from functions.ports.people import Callers

_ANYBODY = Caller(name="local", role=Role.ADMIN)


class VisitedLocally:
    """Implements Callers on this machine's emulators: who calls the API without a token may do everything.

    Services need their tokens, visitors the assertion of a proxy. A person or program with a token is authenticated
    by it, as on Google Cloud.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def check_service(self, authorization: str | None, service: Service, function: str) -> None:
        """Raise Forbidden unless the caller is the service's account."""
        self._callers.check_service(authorization, service, function)

    def visitor(self, assertion: str | None) -> Caller:
        """Return the person that a proxy asserts."""
        return self._callers.visitor(assertion)

    def person(self, authorization: str | None, function: str) -> Caller:
        """Return the local person, or the one in the token."""
        return self._callers.person(authorization, function) if authorization else _ANYBODY


class LocalCallers:
    """Implements Callers for requests of the same process or machine: every caller may do everything."""

    def check_service(self, authorization: str | None, service: Service, function: str) -> None:
        """Allow every request."""

    def visitor(self, assertion: str | None) -> Caller:  # noqa: ARG002 - callers are not authenticated
        """Return the one person that there is."""
        return _ANYBODY

    def person(self, authorization: str | None, function: str) -> Caller:  # noqa: ARG002 - callers are not authenticated
        """Return the one person that there is."""
        return _ANYBODY
