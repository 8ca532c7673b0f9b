"""`tminus up`: the first start shows a running campaign, which a person can stop."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import click
import pytest

from functions import bootstrap
from functions.settings import FcmSettings, Settings
from local.cli.options import RECIPES
from local.cli.up import with_long_leases
from local.cli.up_recipes import first_recipes
from local.cli.up_serving import serve
from local.embedded.clock import RealClock
from local.embedded.queue import SqliteTaskQueue
from local.sample import generate
from tests.functional.console.visitor import SAME_SITE, Page
from tests.functional.running_up import messages
from tests.functional.slow_machine import half_a_core

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
FAST = ("--clock", "fast")


@contextmanager
def up(
    tmp_path: Path,
    *options: str,
    data: bool = True,
    named: bool = True,
    environ: Mapping[str, str] | None = None,
    slow: bool = False,
) -> Iterator[str]:
    """Start it on a free port, and yield the address of the console that it prints.

    `named` says to name the data folder; `slow` gives it half a core.
    """
    if data and not (tmp_path / "data").exists():
        generate(tmp_path / "data", users=300, seed=1, at=datetime.now(UTC).replace(hour=0, minute=0, second=0))
    command = [sys.executable, "-c", "from local.cli.start import main; main()", "up", "--port", "0", *options]
    command += ["--data", str(tmp_path / "data")] if named else []
    command += ["--state", str(tmp_path / "state")]
    around = {**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=around, stdout=subprocess.PIPE, stderr=log, text=True, process_group=0
        )
    assert process.stdout is not None
    try:
        with half_a_core(process.pid) if slow else nullcontext():
            told = process.stdout.readline() + process.stdout.readline()
            assert "look at what runs, and cancel it, on" in told, (tmp_path / "log").read_text()
            yield told.split()[-1].rstrip("/")
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        status = process.wait(timeout=PATIENCE_SECONDS)
    assert status == 0, (tmp_path / "log").read_text()


def read(url: str) -> str:
    with urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        text: str = answer.read().decode()
    return text


@pytest.mark.parametrize(
    "options", [pytest.param((), marks=pytest.mark.long, id="real clock"), pytest.param(FAST, id="fast clock")]
)
def test_a_campaign_runs_at_once_and_can_be_cancelled(options: tuple[str, ...], tmp_path: Path) -> None:
    with up(tmp_path, *options) as console:
        found = None
        while found is None:  # a fast clock takes two seconds to the start
            found = re.search(r'href="/console(/executions/[^"/]+)/confirm"', read(f"{console}/"))
        place = found[1]
        form = Page(read(f"{console}{place}/confirm")).form(f"/console{place}/cancel")
        sent = Request(f"{console}{place}/cancel", urlencode(form.fields, doseq=True).encode(), SAME_SITE)
        with urlopen(sent, timeout=PATIENCE_SECONDS) as answer:
            assert "Nobody receives the push" in answer.read().decode()


def own_recipe(folder: Path) -> Path:
    """Write a recipe of the operator's own, and return its folder."""
    document = json.loads((RECIPES / "sneaker-reactivation.json").read_text())
    (folder / "recipes").mkdir()
    (folder / "recipes" / "mine.json").write_text(json.dumps({**document, "id": "mine"}))
    return folder / "recipes"


def recipe_ids(console: str) -> set[str]:
    answer = json.loads(read(f"{console.removesuffix('/console')}/api/automation/recipes"))
    return {each["id"] for each in answer["data"]}


@pytest.mark.long
@pytest.mark.parametrize(
    "own", [pytest.param(False, id="samples"), pytest.param(True, marks=pytest.mark.long, id="own recipes")]
)
def test_a_fast_clock_starts_when_everything_is_ready(own: bool, tmp_path: Path) -> None:
    """The start is 20 simulated seconds away, a third of a second: far less than it takes to make sample data."""
    options = ["--recipes", str(own_recipe(tmp_path))] if own else []
    with up(tmp_path, "--clock", "fast", "--speed", "60", *options, data=False) as console:
        overview = json.loads(read(console.removesuffix("console")))
        give_up = datetime.fromisoformat(overview["now"]) + timedelta(hours=1)
        while not overview["executions"]:
            overview = json.loads(read(console.removesuffix("console")))
            assert datetime.fromisoformat(overview["now"]) < give_up, "the clock has run past the start"
        assert overview["executions"][0]["status"] in ("launched", "audience_ready", "tested", "live")
        made = {path.name for path in (tmp_path / "data").iterdir()} - {".made-by-tminus"}
        assert {Path(name).suffix for name in made} == {".csv"}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.long
def test_a_slow_machine_shows_a_live_campaign(tmp_path: Path) -> None:
    """Half a core, and a clock six times as fast as the README's: each minute that a step is late is one second."""
    begun = datetime.now(UTC)
    with up(tmp_path, "--clock", "fast", "--speed", "60", data=False, slow=True) as console:
        seen: list[str] = []
        while "live" not in seen:
            for each in json.loads(read(console.removesuffix("console")))["executions"]:
                if each["status"] not in seen:
                    seen.append(each["status"])
            assert not {"expired", "failed", "blocked"} & set(seen), seen
            assert datetime.now(UTC) < begun + timedelta(seconds=3 * PATIENCE_SECONDS), seen
        assert "audience_ready" in seen or "tested" in seen, "its window to cancel could be seen"
        while not (sent := messages(tmp_path, test=False)):
            assert datetime.now(UTC) < begun + timedelta(seconds=4 * PATIENCE_SECONDS), "nothing was sent"
        assert sent[0]["executionId"]


@pytest.mark.long
@pytest.mark.parametrize(("speed", "lease"), [(1, timedelta(minutes=1)), (240, timedelta(minutes=12))])
def test_at_any_speed_a_worker_has_time_for_a_chunk(speed: float, lease: timedelta) -> None:
    assert with_long_leases(Settings(), speed).policy.lease == lease


def test_samples_come_into_a_new_state_only(tmp_path: Path) -> None:
    with up(tmp_path, "--recipes", str(own_recipe(tmp_path))) as console:
        assert recipe_ids(console) == {"mine"}
        health = json.loads(read(f"{console.removesuffix('console')}api/health"))["data"]
        assert set(health["lastWorked"]) == {"dispatcher", "scheduler"}
    with up(tmp_path) as console:
        assert recipe_ids(console) == {"mine"}
        assert json.loads(read(console.removesuffix("console")))["executions"] == []
    assert "sample" not in (tmp_path / "log").read_text()


@pytest.mark.long
def test_data_that_are_gone_are_not_replaced_by_samples(tmp_path: Path) -> None:
    with up(tmp_path, "--recipes", str(own_recipe(tmp_path))):
        pass
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    with up(tmp_path, data=False):
        assert not (tmp_path / "data").exists()
    assert "no audience can be built" in (tmp_path / "log").read_text()


def test_samples_come_only_with_the_outbox_and_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(first_recipes(None, Settings())) == 2
    assert "new state; saved the sample campaigns" in capsys.readouterr().err
    fcm = FcmSettings(project="demo-tminus")
    assert first_recipes(None, replace(Settings(), fcm=fcm)) == ()
    assert "messages go to FCM, so no sample campaign is saved" in capsys.readouterr().err


class BrokenQueue:
    """A queue with a defect: looking at it fails in a way that does not pass."""

    def next_at(self) -> datetime | None:
        raise RuntimeError("on purpose")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dispatcher_that_ends_ends_the_process_with_status_1(tmp_path: Path) -> None:
    settings = replace(Settings(), state_dir=tmp_path / "state", user_data_dir=tmp_path / "data")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with closing(bootstrap.embedded(settings, RealClock())) as system:
            broken = replace(system, queue=cast("SqliteTaskQueue", BrokenQueue()))
            with pytest.raises(click.ClickException, match="the dispatcher ended") as ended:
                serve(broken, RealClock(), ("127.0.0.1", 0), None)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert ended.value.exit_code == 1
