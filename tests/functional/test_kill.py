"""`tminus up`, killed with SIGKILL in each phase and started again, finishes the execution without a duplicate."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions import bootstrap
from functions.handlers.http.as_json import as_json
from functions.ports import Ports
from functions.settings import Settings
from functions.usecases.reports.execution import report
from local.embedded.clock import RealClock
from local.embedded.system import EmbeddedSystem
from local.sample import generate
from tests.functional.running_up import EXECUTION, Up, messages, wait_until, write_recipe

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill")
    generate(folder / "data", users=3000, seed=5, at=datetime(2026, 5, 4, tzinfo=UTC))
    return folder / "data"


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    write_recipe(tmp_path)
    (tmp_path / "data").symlink_to(data)
    return tmp_path


@pytest.fixture
def running() -> Iterator[list[Up]]:
    ups: list[Up] = []
    yield ups
    for up in ups:
        if up.runs:
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


def state_of(ports: Ports) -> str:
    execution = ports.executions.get(EXECUTION)
    return "" if execution is None else execution.state.value


LIVE = "live execution"
PHASES: dict[str, Callable[[Ports, Path], bool]] = {
    "audience generation": lambda ports, _: state_of(ports) == "launched",
    "test sending": lambda _, folder: len(messages(folder, test=True)) > 0,
    # A busy machine may be through the window, a moment here, before anybody looks.
    "cancellation window": lambda ports, _: state_of(ports) in ("tested", "live"),
    LIVE: lambda _, folder: len(messages(folder, test=False)) > 0,
    "cleanup": lambda _, folder: {m["push"] for m in messages(folder, test=False)} == {1, 2, 3},
}


@pytest.mark.long
@pytest.mark.parametrize(
    "phase", [LIVE, *(pytest.param(phase, marks=pytest.mark.long) for phase in PHASES if phase != LIVE)]
)
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
    numbers = as_json(report(look(), EXECUTION))
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
    assert running[0].end(signal.SIGINT) == 0
