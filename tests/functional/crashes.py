"""Ports that crash the process at a chosen call, before or after the call takes effect."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from types import FrameType
from typing import Any

import pytest

from functions.ports import Ports
from local.simulator.proof.call_sites import Site, site_of

CRASHING = (
    *("recipes", "executions", "shards", "logs", "violations", "request_keys", "ledger", "files", "tasks"),
    *("schedules", "sender", "devices"),
    *("alerts", "alert_store", "channels", "engine"),
)


def shares(count: int) -> list[Any]:
    """Return the numbers of so many shares of a crash suite: `make test` plays the first, the others are long."""
    return [0, *(pytest.param(number, marks=pytest.mark.long) for number in range(1, count))]


class Crash(BaseException):
    """The process dies here; no `except Exception` may survive it."""


class CrashPoint:
    """Counts the calls of all ports, and crashes at one of them, once."""

    def __init__(self, at: int | None, *, after: bool = False) -> None:
        self.at, self.after = at, after
        self.calls: list[str] = []
        self.sites: list[Site] = []
        """Where in the code each call comes from."""

    def wrap(self, ports: Ports) -> Ports:
        """Return ports of which every call is counted."""
        assert set(CRASHING) <= {field.name for field in fields(ports)}
        counted: dict[str, Any] = {name: _Counted(name, getattr(ports, name), self) for name in CRASHING}
        return replace(ports, **counted)

    def ends_of_sites(self) -> list[int]:
        """Return the numbers of the first and of the last call from each place in the code."""
        first = {site: number for number, site in reversed(list(enumerate(self.sites)))}
        last = {site: number for number, site in enumerate(self.sites)}
        return sorted({*first.values(), *last.values()})

    def call(self, name: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Make a call, unless this is where the process dies."""
        self.calls.append(name)
        self.sites.append(site_of(_asking(), name))
        crash = len(self.calls) - 1 == self.at
        if crash and not self.after:
            raise Crash(name)
        answer = method(*args, **kwargs)
        if crash:
            raise Crash(name)
        return self._steps(name, answer) if isinstance(answer, Iterator) else answer

    def _steps(self, name: str, steps: Iterator[Any]) -> Iterator[Any]:
        """Count each step of what is yielded bit by bit, such as the sender's chunks, as a call of its own."""
        while True:
            step = self.call(f"{name} step", next, steps, None)
            if step is None:
                return
            yield step


def _asking() -> FrameType:
    """Return the frame of the product that makes the call; none of this file counts."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame


class _Counted:
    def __init__(self, name: str, target: object, point: CrashPoint) -> None:
        self._name, self._target, self._point = name, target, point

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._target, method)
        name = f"{self._name}.{method}"
        return lambda *args, **kwargs: self._point.call(name, target, *args, **kwargs)
