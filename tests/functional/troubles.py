"""Trouble for a running `tminus up`, and how its end is judged."""

import csv
import json
import os
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from functions import bootstrap
from functions.handlers.http.as_json import as_json
from functions.settings import Settings
from functions.usecases.reports.execution import report
from local.embedded.clock import RealClock
from tests.functional.running_up import EXECUTION, PATIENCE_SECONDS, Up, messages

Trouble = Callable[[Path], Any]
STATE = "disk/state"


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """Mount something; skipped where that is not allowed, except in CI, which runs as root."""
    done = subprocess.run(["mount", *options, str(place)], check=False, capture_output=True, text=True)
    if done.returncode:
        assert not os.environ.get("CI"), f"CI has to be allowed to mount: {done.stderr}"
        pytest.skip(f"needs root, to mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def full_disk(disk: Path) -> Iterator[None]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    yield
    filler.unlink()


@contextmanager
def read_only_disk(disk: Path) -> Iterator[None]:
    state = disk / "state"
    with mounted(state, "--bind", str(state)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(state)], check=True)
        yield


@contextmanager
def locked_database(disk: Path) -> Iterator[None]:
    with closing(sqlite3.connect(disk / "state" / "tminus.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@contextmanager
def state_moved_away(disk: Path) -> Iterator[None]:
    (disk / "state").rename(disk / "elsewhere")
    yield
    assert not (disk / "state").exists(), "nothing new may take the place of the state"
    (disk / "elsewhere").rename(disk / "state")


@contextmanager
def data_moved_away(disk: Path) -> Iterator[None]:
    (disk.parent / "data").rename(disk.parent / "elsewhere")
    yield
    (disk.parent / "elsewhere").rename(disk.parent / "data")


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "a full disk": (full_disk, "disk"),
    "a read-only folder": (read_only_disk, "disk"),
    "a database that another process holds": (locked_database, "disk"),
    "a state folder that is gone": (state_moved_away, "executions"),
    "a data folder that is gone": (data_moved_away, "userData"),
}


def answer(up: Up, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Call the API, and return the status and what it says."""
    text = None if body is None else json.dumps(body).encode()
    request = Request(f"{up.url}{path[1:]}", text, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return response.status, json.loads(response.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def ill(up: Up) -> set[str]:
    """Return what health says does not work."""
    return {error["field"] for error in answer(up, "/api/health")[1].get("errors", ())}


def live(folder: Path) -> bool:
    return bool(messages(folder, test=False, state=STATE))


def completed(folder: Path) -> bool:
    """Say whether the execution has been cleaned up; the state may be gone for a while."""
    path = folder / STATE / "tminus.db"
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as look:
        rows = look.execute("SELECT unfinished FROM executions WHERE id = ?", (EXECUTION,)).fetchall()
    return bool(rows) and not rows[0][0]


def judge(folder: Path) -> dict[str, Any]:
    """Hold the end to the contract, with what lies in the state folder; return the report."""
    settings = replace(Settings(), state_dir=folder / STATE, user_data_dir=folder / "data")
    with closing(bootstrap.embedded(settings, RealClock())) as system:
        numbers: dict[str, Any] = as_json(report(system.ports, EXECUTION))
        unfinished = list(system.ports.executions.unfinished())
    left = messages(folder, test=True, state=STATE) + messages(folder, test=False, state=STATE)
    sends = Counter((message["push"], message["token"], message["test"]) for message in left)
    assert max(sends.values(), default=1) == 1, "somebody got a push twice"
    assert unfinished == []
    if not any(push["audienceSize"] for push in numbers["pushes"]):
        assert not messages(folder, test=False, state=STATE)
        return numbers
    with (folder / STATE / "receipts" / f"{EXECUTION}.csv").open() as file:
        receipt = Counter((row["push"], row["outcome"]) for row in csv.DictReader(file))
    for push in numbers["pushes"]:
        rows = {outcome: count for (order, outcome), count in receipt.items() if order == str(push["order"])}
        parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
        assert push["audienceSize"] == sum(push["excluded"].values()) + parts == sum(rows.values())
        assert (rows.get("sent", 0), rows.get("unknown", 0)) == (push["sent"], push["unknown"])
    totals = numbers["totals"]
    arrived = len(messages(folder, test=False, state=STATE))
    assert totals["sent"] <= arrived <= totals["sent"] + totals["unknown"]
    return numbers
