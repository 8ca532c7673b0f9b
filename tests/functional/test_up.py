"""`tminus up`: whoever starts it for the first time finds a campaign that runs, and can stop it."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from local.sample import generate
from tests.functional.console.visitor import SAME_SITE, Page

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


@contextmanager
def up(tmp_path: Path, *options: str) -> Iterator[str]:
    """Start it on a free port, and yield the address of the console that it prints."""
    generate(tmp_path / "data", users=300, seed=1, at=datetime.now(UTC).replace(hour=0, minute=0, second=0))
    command = [sys.executable, "-c", "from local.cli.main import main; main()", "up", "--port", "0", *options]
    command += ["--data", str(tmp_path / "data"), "--state", str(tmp_path / "state")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
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


@pytest.mark.parametrize("options", [(), ("--clock", "fast")], ids=["real clock", "fast clock"])
def test_a_campaign_runs_at_once_and_can_be_cancelled(options: tuple[str, ...], tmp_path: Path) -> None:
    with up(tmp_path, *options) as console:
        found = None
        while found is None:  # a fast clock takes two seconds to the start
            found = re.search(r'href="/console(/executions/[^"/]+)/confirm"', read(f"{console}/"))
        place = found[1]
        form = Page(read(f"{console}{place}/confirm")).form(f"/console{place}/cancel")
        sent = Request(f"{console}{place}/cancel", urlencode(form.fields, doseq=True).encode(), SAME_SITE)
        with urlopen(sent, timeout=PATIENCE_SECONDS) as answer:
            assert "The live pushes will not be sent" in answer.read().decode()
