"""`tminus up`, killed with SIGKILL in each phase and started again, finishes the execution without a duplicate."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

import pytest

from functions import bootstrap
from functions.ports import Ports
from functions.settings import Settings
from functions.usecases.report import report
from local.embedded.clock import RealClock
from local.embedded.system import EmbeddedSystem
from local.sample import generate

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "local" / "recipes" / "sneaker-reactivation.json"
EXECUTION = "sneaker-reactivation_20260504T223000Z"
PATIENCE_SECONDS = 120


class Up:
    """A running `tminus up` on a clock 120 times as fast, with a lead time of six minutes."""

    def __init__(self, folder: Path, *, first: bool) -> None:
        self.folder = folder
        options = ["--data", folder / "data", "--state", folder / "state", "--recipes", folder / "recipes"]
        options += ["--clock", "fast", "--speed", "120", "--port", "0"]
        options += ["--at", "2026-05-04T22:19:00Z"] if first else []
        command = [sys.executable, "-c", "from local.cli.main import main; main()", "up", *map(str, options)]
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

    def end(self, number: int) -> None:
        self._process.send_signal(number)
        self._process.wait(timeout=PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill")
    generate(folder / "data", users=3000, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    return folder / "data"


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    document = json.loads(RECIPE.read_text())
    document["schedule"]["leadTimeMinutes"] = 6
    document["settings"]["maxLatenessMinutes"] = 600  # a busy machine may be slow; that is not what is tested
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "recipe.json").write_text(json.dumps(document))
    (tmp_path / "data").symlink_to(data)
    return tmp_path


@pytest.fixture
def running() -> Iterator[list[Up]]:
    ups: list[Up] = []
    yield ups
    for up in ups:
        if up._process.poll() is None:
            up.end(signal.SIGKILL)


@pytest.fixture
def look(folder: Path) -> Iterator[Callable[[], Ports]]:
    """Look into the state of a running system from another process."""
    opened: list[EmbeddedSystem] = []

    def ports() -> Ports:
        if not opened:
            settings = replace(Settings(), state_dir=folder / "state", user_data_dir=folder / "data")
            opened.append(bootstrap.embedded(settings, RealClock()))
        return opened[0].ports

    yield ports
    for system in opened:
        system.close()


def cleaned(ports: Ports) -> bool:
    execution = ports.executions.get(EXECUTION)
    return execution is not None and execution.cleaned


def wait_until(condition: Callable[[], bool], tell: Callable[[], object] = lambda: "") -> None:
    tick = Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if condition():
            return
        tick.wait(0.01)
    pytest.fail(f"waited {PATIENCE_SECONDS} s in vain: {tell()}")


def messages(folder: Path, *, test: bool) -> list[dict[str, Any]]:
    path = folder / "state" / "outbox.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("}")]
    return [message for message in found if message["test"] is test]


def state_of(ports: Ports) -> str:
    execution = ports.executions.get(EXECUTION)
    return "" if execution is None else execution.state.value


PHASES: dict[str, Callable[[Ports, Path], bool]] = {
    "audience generation": lambda ports, _: state_of(ports) == "launched",
    "test sending": lambda _, folder: len(messages(folder, test=True)) > 0,
    # A busy machine may be through the window, half a second here, before anybody looks.
    "cancellation window": lambda ports, _: state_of(ports) in ("tested", "live"),
    "live execution": lambda _, folder: len(messages(folder, test=False)) > 0,
    "cleanup": lambda _, folder: {m["push"] for m in messages(folder, test=False)} == {1, 2, 3},
}


@pytest.mark.parametrize("phase", PHASES)
def test_a_kill_in_any_phase_loses_nothing_and_repeats_nothing(
    phase: str, folder: Path, running: list[Up], look: Callable[[], Ports]
) -> None:
    running.append(Up(folder, first=True))
    wait_until(lambda: PHASES[phase](look(), folder))
    running[0].end(signal.SIGKILL)
    before = state_of(look())
    running.append(Up(folder, first=False))
    wait_until(lambda: cleaned(look()), lambda: report(look(), EXECUTION))
    overview = running[1].overview()
    running[1].end(signal.SIGTERM)

    assert before not in ("", "completed")
    assert "/send_shard" in overview["functions"]
    sends = Counter(
        (m["push"], m["token"], m["test"]) for m in messages(folder, test=True) + messages(folder, test=False)
    )
    numbers = report(look(), EXECUTION)
    assert max(sends.values(), default=0) == 1, numbers
    for push in numbers["pushes"]:
        parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
        assert push["audienceSize"] == sum(push["excluded"].values()) + parts
    # Only a request that was on its way when the process died has an unknown outcome.
    if numbers["totals"]["unknown"] == 0 and not numbers["violations"]:
        assert (numbers["status"], numbers["totals"]["notReached"]) == ("completed", 0)
        assert len(messages(folder, test=True)) == 3
        assert len(messages(folder, test=False)) == numbers["totals"]["sent"]
    else:
        assert numbers["status"] in ("completed", "blocked")


def test_ctrl_c_ends_it_in_order(folder: Path, running: list[Up]) -> None:
    running.append(Up(folder, first=True))
    running[0].end(signal.SIGINT)
    assert running[0]._process.returncode == 0
