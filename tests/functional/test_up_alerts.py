"""`tminus up --alerts`: a webhook hears of a run, and the link that it gets cancels that run."""

import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import Request, urlopen

import pytest

from local.embedded.documents import to_text
from local.runtime.emulators import free_port
from local.runtime.recipe_files import read_recipe_file
from local.sample import generate
from local.standins.webhook import WebhookSink
from tests.command import calling

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 5, 4, 9, 28, tzinfo=UTC)
PATIENCE_SECONDS = 60


class TellingSink(WebhookSink):
    """A webhook that says when something has arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = Event()

    def take(self, method: str, path: str, body: bytes) -> Any:
        reply = super().take(method, path, body)
        self.arrived.set()
        return reply

    def until(self, words: str) -> Mapping[str, Any]:
        """Wait for an alert that says something, and return it."""
        while not (found := [one for one in list(self.posted) if words in one["text"]]):
            assert self.arrived.wait(PATIENCE_SECONDS), f"no alert said {words!r}"
            self.arrived.clear()
        return found[0]


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    folder = tmp_path / "recipes"
    folder.mkdir()
    recipe = read_recipe_file(ROOT / "local" / "recipes" / "sneaker-reactivation.json")
    recipe["schedule"] = {"timezone": "UTC", "frequency": "daily", "executionTime": "10:00"}
    (folder / "recipe.json").write_text(to_text(recipe), encoding="utf-8")
    return folder


def tminus_up(*options: object) -> list[str]:
    command = [sys.executable, "-c", "from local.cli.start import main; main()", "up"]
    return [*command, *map(str, options)]


@pytest.mark.long
def test_a_run_on_a_fast_clock_sends_alerts_and_is_cancelled_by_its_link(recipes: Path, tmp_path: Path) -> None:
    generate(tmp_path / "data", users=100, seed=1, at=AT)
    port = free_port()
    with TellingSink() as sink, (tmp_path / "log").open("wb") as log:
        options = ("--data", tmp_path / "data", "--state", tmp_path / "state", "--recipes", recipes, "--port", port)
        fast = ("--clock", "fast", "--speed", "60", "--at", AT.isoformat(), "--alerts", f"{sink.url}/hook")
        process = subprocess.Popen(tminus_up(*options, *fast), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log)
        try:
            ready = sink.until("the audiences are ready")
            [link] = re.findall(r"<(http[^|>]+/cancel/[^|>]+)[|]", str(ready["blocks"]))
            assert link.startswith(f"http://127.0.0.1:{port}/console/cancel/")
            with urlopen(link, timeout=PATIENCE_SECONDS) as page:
                assert "Cancel this send?" in page.read().decode()
            with urlopen(Request(link, method="POST"), timeout=PATIENCE_SECONDS) as page:
                assert "The send is cancelled" in page.read().decode()
            sink.until("cancelled: the cancel link")
        finally:
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=PATIENCE_SECONDS)
    written = (tmp_path / "log").read_text()
    assert status == 0, written
    assert link.rpartition("/")[2] not in written
    assert "/hook" not in written


@pytest.mark.parametrize("address", ["http://10.0.0.1/hook", "file:///etc/passwd", "hook"])
def test_an_address_that_is_no_webhook_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tminus = calling(monkeypatch, capsys)
    answer = tminus("up", "--data", tmp_path, "--state", tmp_path / "state", "--alerts", address)
    assert answer.status == 2
    assert "ALERT_WEBHOOKS: entry 1 must be NAME=URL" in answer.err
    assert not (tmp_path / "state").exists()
