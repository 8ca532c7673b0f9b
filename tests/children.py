"""Run a command, and leave none of its processes behind: `python -m tests.children COMMAND...`.

Tests start PostgreSQL, emulators and browsers, some of them as daemons. However the command ends, by itself, by
SIGTERM, by Ctrl-C or killed, its descendants end with it. They get a while to clean up, and are killed after that.
Orphans are found on Linux only: there this process becomes their parent.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.1
_CLEAN_UP_SECONDS = 15.0
"""How long the command may tear down what it has set up."""
_END_SECONDS = 5.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(command: Sequence[str]) -> int:
    """Run the command and return its exit status, or 128 and the number of the signal that ended this process."""
    got: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        got.append(number)

    for number in _SIGNALS:
        signal.signal(number, note)
    _adopt_orphans()
    process = subprocess.Popen(command, process_group=0)  # a Ctrl-C reaches it once, and through here
    try:
        while process.poll() is None and not got:
            time.sleep(_POLL_SECONDS)
        if got:
            _end(process)
    finally:
        left = _end_all(process)
    if left and not got:
        click.echo(f"ended what {command[0]} left behind: {', '.join(left)}", err=True)
    return 128 + got[0] if got else process.returncode


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the command, as Ctrl-C does, and wait until it has cleaned up."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_CLEAN_UP_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()


def _end_all(process: subprocess.Popen[bytes]) -> list[str]:
    """End every descendant, and return the names of those there were beside the command itself."""
    names: dict[int, str] = {}
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + _END_SECONDS
        while (left := _descendants(os.getpid())) and time.monotonic() < until:
            for pid in left - names.keys() if number == signal.SIGTERM else left:
                names.setdefault(pid, _name(pid))
                _signal(pid, number)
            process.poll()
            time.sleep(_POLL_SECONDS)
    process.wait()
    _reap()
    names.pop(process.pid, None)
    return sorted({name for name in names.values() if name})


def _descendants(pid: int) -> set[int]:
    """Return the processes below one that have not ended, wherever in the tree they are."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = place.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it ended just now
        if state != "Z":
            parents[int(place.parent.name)] = int(parent)
    found, below = set[int](), {pid}
    while below:
        below = {child for child, parent in parents.items() if parent in below} - found
        found |= below
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _reap() -> None:
    """Collect the orphans that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
