"""`tminus up` in trouble in the middle of a live send says so, answers 503, and goes on once the trouble is over.

`make chaos` plays many such troubles, in an order made of a seed.
"""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions import bootstrap
from functions.domain.errors import StoreUnavailable
from functions.settings import Settings
from local.embedded.clock import RealClock
from local.sample import generate
from tests.functional.running_up import Up, wait_until, write_recipe
from tests.functional.troubles import STATE, TROUBLES, answer, completed, full_disk, ill, judge, live, mounted

pytestmark = pytest.mark.slow

GONE = "a state folder that is gone"
A_WRITE = ("/api/automation/debug/reschedule", {"recipeId": "sneaker-reactivation"})


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chaos")
    generate(folder / "data", users=1500, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    return folder / "data"


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Iterator[Path]:
    """A folder whose `disk` is a small file system of its own."""
    write_recipe(tmp_path)
    (tmp_path / "data").symlink_to(data)
    (tmp_path / "disk").mkdir()
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=32m", "tmpfs"):
        yield tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Up]]:
    ups: list[Up] = []

    def started(*, first: bool) -> Up:
        ups.append(Up(folder, first=first, state=folder / STATE))
        return ups[-1]

    yield started
    for up in ups:
        if up.runs:
            up.end(signal.SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [GONE, *(pytest.param(name, marks=pytest.mark.long) for name in TROUBLES if name != GONE)]
)
def test_work_goes_on_after(name: str, folder: Path, start: Callable[..., Up]) -> None:
    trouble, part = TROUBLES[name]
    up = start(first=True)
    wait_until(lambda: live(folder))
    with trouble(folder / "disk"):
        wait_until(lambda: part in ill(up))
        if name in (GONE, "a read-only folder"):  # a full disk may have room in SQLite's log
            status, told = answer(up, *A_WRITE)
            assert (status, str(folder / STATE) in told["message"]) == (503, True)
    wait_until(lambda: completed(folder), (folder / "up.log").read_text)
    wait_until(lambda: ill(up) == set())  # a busy machine may take its time
    assert up.end(signal.SIGTERM) == 0
    numbers = judge(folder)
    assert (numbers["status"], numbers["totals"]["notReached"]) == ("completed", 0)
    assert "Traceback" not in (folder / "up.log").read_text()


@pytest.mark.long
def test_a_kill_on_a_full_disk_loses_nothing_and_repeats_nothing(folder: Path, start: Callable[..., Up]) -> None:
    up = start(first=True)
    wait_until(lambda: live(folder))
    with full_disk(folder / "disk"):
        wait_until(lambda: "disk" in ill(up))
        up.end(signal.SIGKILL)
    start(first=False)
    wait_until(lambda: completed(folder), (folder / "up.log").read_text)
    assert judge(folder)["status"] == "completed"


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_a_signal_ends_it_though_its_state_is_deleted(
    number: signal.Signals, folder: Path, start: Callable[..., Up]
) -> None:
    up = start(first=True)
    subprocess.run(["rm", "-rf", str(folder / STATE)], check=True)
    wait_until(lambda: "executions" in ill(up))
    assert answer(up, "/")[0] == 503
    assert up.end(number) == 0
    assert not (folder / STATE).exists()


def test_health_names_a_full_disk_on_which_the_database_still_writes(tmp_path: Path, data: Path) -> None:
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=1200k", "tmpfs"):
        settings = replace(Settings(), state_dir=tmp_path / "state", user_data_dir=data)
        with closing(bootstrap.embedded(settings, RealClock())) as system:
            system.database.check()
            with pytest.raises(StoreUnavailable, match="the disk is full"):
                system.ports.parts["disk"].check()
