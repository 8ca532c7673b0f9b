"""However a command ends, none of what it has started stays: also a daemon in a session of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAEMON = """
import os, subprocess, sys, time
sleeper = "import os, pathlib, time; pathlib.Path('{place}').write_text(str(os.getpid())); time.sleep(300)"
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", sleeper])
    os._exit(0)
os.wait()
while not os.path.exists("{place}"):
    time.sleep(0.01)
{end}
"""


def started(place: Path, end: str) -> subprocess.Popen[str]:
    script = DAEMON.format(place=place, end=end)
    command = [sys.executable, "-m", "tests.children", sys.executable, "-c", script]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def pid_in(place: Path) -> int:
    for _ in range(3000):
        if place.exists() and place.read_text():
            return int(place.read_text())
        time.sleep(0.01)
    raise AssertionError("nothing has started")


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are found on Linux")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_daemon_of_the_command(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path / "pid", "time.sleep(300)") as process:
        daemon = pid_in(tmp_path / "pid")
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert not lives(daemon)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are found on Linux")
def test_what_a_command_leaves_behind_is_ended_and_said(tmp_path: Path) -> None:
    with started(tmp_path / "pid", "sys.exit(3)") as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "left behind: python" in told
    assert not lives(pid_in(tmp_path / "pid"))
