"""A running `tminus up` on sample data, for tests that trouble it from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "local" / "recipes" / "sneaker-reactivation.json"
EXECUTION = "sneaker-reactivation_20260504T223000Z"
PATIENCE_SECONDS = 120


class Up:
    """A running `tminus up` on a clock 240 times as fast, with a lead time of six minutes."""

    def __init__(self, folder: Path, *, first: bool, state: Path | None = None) -> None:
        self.folder = folder
        options = ["--data", folder / "data", "--state", state or folder / "state", "--recipes", folder / "recipes"]
        options += ["--clock", "fast", "--speed", "240", "--port", "0"]
        options += ["--at", "2026-05-04T22:19:00Z"] if first else []
        command = [sys.executable, "-c", "from local.cli.start import main; main()", "up", *map(str, options)]
        self._log = (folder / "up.log").open("ab")
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.url = self._read_url()

    def _read_url(self) -> str:
        lines: Queue[str] = Queue()
        assert self._process.stdout is not None
        reader = Thread(target=lambda out: lines.put(out.readline()), args=(self._process.stdout,), daemon=True)
        reader.start()
        try:
            line = lines.get(timeout=PATIENCE_SECONDS)
        except Empty:
            line = ""
        assert "http://" in line, (self.folder / "up.log").read_text()
        return line.split("functions on ")[1].split(",")[0]

    def overview(self) -> dict[str, Any]:
        with urlopen(self.url, timeout=PATIENCE_SECONDS) as answer:
            document: dict[str, Any] = json.loads(answer.read())
        return document

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self, number: int) -> int:
        """Send a signal, and return the exit status."""
        self.signal(number)
        status = self._process.wait(timeout=PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
        return status

    @property
    def runs(self) -> bool:
        return self._process.poll() is None


def write_recipe(folder: Path) -> None:
    """Write the recipe to run, with a lead time of six minutes, into `recipes`."""
    document = json.loads(RECIPE.read_text())
    document["schedule"]["leadTimeMinutes"] = 6
    document["settings"]["maxLatenessMinutes"] = 600  # a busy machine may be slow; that is not what is tested
    (folder / "recipes").mkdir()
    (folder / "recipes" / "recipe.json").write_text(json.dumps(document))


def wait_until(condition: Callable[[], bool], tell: Callable[[], object] = lambda: "") -> None:
    tick = Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if condition():
            return
        tick.wait(0.01)
    pytest.fail(f"waited {PATIENCE_SECONDS} s in vain: {tell()}")


def messages(folder: Path, *, test: bool, state: str = "state") -> list[dict[str, Any]]:
    path = folder / state / "outbox.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("}")]
    return [message for message in found if message["test"] is test]
