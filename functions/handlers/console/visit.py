"""A visit of the console: who comes, what is asked for, and what answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from flask import Request, Response

from functions.domain.roles import Caller, Role
from functions.ports import Ports

MOST_FORM_BYTES = 1_000_000
"""Twice the largest recipe that can be stored."""


@dataclass(frozen=True)
class Visit:
    """A request that has come in. `path` is what its address names; `root` what stands before every address."""

    ports: Ports
    caller: Caller
    path: Mapping[str, str]
    request: Request

    @property
    def root(self) -> str:
        """The path at which the console is served: empty where it has a host of its own."""
        return self.request.script_root

    @cached_property
    def now(self) -> datetime:
        """The one instant at which the visit takes place."""
        return self.ports.clock.now()

    @property
    def by_htmx(self) -> bool:
        """Whether a part of a page is asked for, by the page itself."""
        return self.request.headers.get("HX-Request") == "true"

    def may(self, least: Role) -> bool:
        """Say whether the visitor's role allows what takes at least another."""
        return self.caller.role.includes(least)

    def asked(self, name: str) -> str:
        """Return a parameter of the address, empty where it is not there."""
        return self.request.args.get(name, "").strip()

    def field(self, name: str) -> str:
        """Return a field of the form that was sent, empty where it is not there."""
        return self.request.form.get(name, "").strip()


@dataclass(frozen=True, kw_only=True)
class Route:
    """A page, or what a form does. `least` is the role that it takes; None: everybody who may come in at all."""

    method: str
    path: str
    serve: Callable[[Visit], Response]
    least: Role = Role.VIEWER
