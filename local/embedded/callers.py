"""Callers on one's own machine: there is nobody to tell apart."""

from functions.domain.roles import Caller, Role, Service

_ANYBODY = Caller(name="local", role=Role.ADMIN)


class LocalCallers:
    """Plays Callers where requests come from the same process or the same machine: everybody may do everything."""

    def check_service(self, authorization: str | None, service: Service, function: str) -> None:
        """Let every request pass."""

    def visitor(self, assertion: str | None) -> Caller:  # noqa: ARG002 - nobody vouches for anybody
        """Return the one person that there is."""
        return _ANYBODY

    def person(self, authorization: str | None, function: str) -> Caller:  # noqa: ARG002 - nobody vouches for anybody
        """Return the one person that there is."""
        return _ANYBODY
