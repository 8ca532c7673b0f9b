"""Every place in the use cases and handlers that calls a port. An injected crash has to hit each at least once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NamedTuple

_ROOT = Path(__file__).parents[3]
_SEARCHED = ("usecases", "handlers/http", "handlers/jobs", "handlers/console/cancel")
_NOT_PLAYED = (
    "usecases/after_restore.py",
    "usecases/sending/ask_sender.py",
    "handlers/http/rate.py",
    "usecases/by_hand/upload_in_bucket.py",
    "usecases/dry_run/sample_people.py",
    "usecases/people",
    "usecases/recipes/activate.py",
    "usecases/reports/activity.py",
    "usecases/reports/calendar.py",
    "usecases/reports/campaign_index.py",
    "usecases/reports/campaigns.py",
    "usecases/reports/next_sends.py",
    "usecases/reports/sends.py",
    "usecases/reports/so_far.py",
    "usecases/reports/tested_people.py",
    "usecases/reports/verify_audit.py",
    "usecases/reports/week.py",
)
"""Files and folders that a simulated day never reaches.

It restores no backup, its sender, like FCM, cannot be asked, and nobody in it calls the API too often or uploads to a
bucket. It erases no user; tests end that process at every call. What only the console's pages ask
for reads, and so does verifying the audit log.
"""
_NOT_REACHED = (
    "files.expire",
    *(f"functions/usecases/by_hand/kept_uploads.py files.{name}" for name in ("find", "remove", "write_once")),
)
"""Calls that it never makes, everywhere or in one file: it is over before an execution is old enough to be deleted,
and nobody in it uploads a list in the console.
"""
_NOT_OUTSIDE = ("clock", "policy", "callers")
"""Ports whose calls have no effect that a crash could leave half done."""


class Site(NamedTuple):
    """A call of a port in the code: the file, its first line, and what it calls."""

    file: str
    line: int
    call: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.call}"


@cache
def call_sites(ports: tuple[str, ...]) -> frozenset[Site]:
    """Return every call of these ports in the use cases and handlers."""
    functions = _ROOT / "functions"
    left_out = [functions / name for name in _NOT_PLAYED]
    paths = {path for folder in _SEARCHED for path in (functions / folder).rglob("*.py")}
    paths = {path for path in paths if not any(path.is_relative_to(place) for place in left_out)}
    sites = {site for path in paths for site, _ in _sites(path) if site.call.split(".")[0] in ports}
    return frozenset(site for site in sites if not {site.call, f"{site.file} {site.call}"} & {*_NOT_REACHED})


def site_of(frame: FrameType, call: str) -> Site:
    """Return the site that a frame is calling from; a site with line 0 if it is not one of `call_sites`."""
    return _site_at(frame.f_code.co_filename, frame.f_lineno, call)


@cache
def _site_at(name: str, line: int, call: str) -> Site:
    for site, last_line in _sites_of_file(name):
        if site.line <= line <= last_line and site.call == call:
            return site
    return Site(name, 0, call)


@cache
def _sites_of_file(name: str) -> tuple[tuple[Site, int], ...]:
    path = Path(name)
    return tuple(_sites(path)) if path.is_relative_to(_ROOT) else ()


def _sites(path: Path) -> Iterator[tuple[Site, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = path.relative_to(_ROOT).as_posix()
    for node in ast.walk(tree):
        call = _port_call(node)
        if call is not None and isinstance(node, ast.Call):
            yield Site(name, node.lineno, call), node.end_lineno or node.lineno


def _port_call(node: ast.AST) -> str | None:
    """Return `port.method` if a node calls `ports.port.method(...)`, or the same on `self._ports`; else None."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    port = node.func.value
    if not isinstance(port, ast.Attribute) or port.attr in _NOT_OUTSIDE:
        return None
    owner = port.value
    named = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return f"{port.attr}.{node.func.attr}" if named in ("ports", "_ports") else None
