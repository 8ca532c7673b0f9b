"""A visit of the console: the caller, the request, and its route."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from flask import Request, Response

from functions.domain.access import Subject
from functions.domain.roles import Caller, Role
from functions.ports import Ports

MOST_FORM_BYTES = 1_000_000
"""Twice the largest recipe that can be stored."""
ZONE_COOKIE = "tminus_zone"
"""The cookie with the visitor's time zone. `console.js` sets it to the browser's; the help page changes it."""
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Visit:
    """A request. `path` has the parameters of its address, and `root` is the prefix of every address."""

    ports: Ports
    caller: Caller
    path: Mapping[str, str]
    request: Request

    @property
    def root(self) -> str:
        """The path at which the console is served; empty if it has its own host."""
        return self.request.script_root

    @cached_property
    def now(self) -> datetime:
        """The instant of the visit, the same for the whole request."""
        return self.ports.clock.now()

    @cached_property
    def zone(self) -> ZoneInfo:
        """The visitor's time zone; UTC before the browser said it."""
        try:
            return ZoneInfo(self.request.cookies.get(ZONE_COOKIE, "UTC"))
        except (KeyError, ValueError, OSError):
            return _UTC

    @property
    def by_htmx(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.request.headers.get("HX-Request") == "true"

    def may(self, least: Role) -> bool:
        """Return whether the visitor's role includes another one."""
        return self.caller.role.includes(least)

    def asked(self, name: str) -> str:
        """Return a query parameter; empty if missing."""
        return self.request.args.get(name, "").strip()

    def field(self, name: str) -> str:
        """Return a field of the submitted form; empty if missing."""
        return self.request.form.get(name, "").strip()


@dataclass(frozen=True, kw_only=True)
class Route:
    """A page or the action of a form. `least` is the required role.

    `reads` returns the subject whose personal data a visit reads, for the access log, or None if it reads none. An
    `expensive` visit queries the user data: it is limited in time, and in number for each visitor. A form with files
    has at most `upload_bytes`; 0 means that the form has no files.
    """

    method: str
    path: str
    serve: Callable[[Visit], Response]
    least: Role = Role.VIEWER
    reads: Callable[[Visit], Subject | None] | None = None
    expensive: bool = False
    upload_bytes: int = 0
