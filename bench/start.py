"""The time to a fresh process's first answer: `python -m bench.start` prints it and writes bench/out/start.json.

Each round starts a process for the peer, a function on functions-framework that does nothing, and one for each kind
of our functions, one after the other, as Cloud Run starts them. It measures the time from the start of the process to
its first 200, and the processor time until then, which a busy machine does not change. The functions use the embedded
runtime, so the time to load Google's clients is not included.
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import figures
from bench.campaign import RECIPE_ID, due, go_live, write_user_data
from bench.figures import say, table
from functions.domain.ids import execution_id
from local.embedded.clock import RealClock

_OUT = Path(__file__).parent / "out" / "start.json"
_ROOT = Path(__file__).parent.parent
_ROUNDS = 7
_MOST_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.002
_LATENESS_MINUTES = 24 * 60
_BARE = """\
import functions_framework


@functions_framework.http
def bare(request):
    return ""
"""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A function, and a request that it answers with 200."""

    function: str
    method: str = "POST"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """A process's time to its first answer: seconds, and seconds of the processor."""

    seconds: float
    processor: float

    @classmethod
    def median(cls, answers: Sequence["_Answer"]) -> "_Answer":
        """Return the medians of several processes."""
        return cls(
            seconds=statistics.median(one.seconds for one in answers),
            processor=statistics.median(one.processor for one in answers),
        )


def main(arguments: list[str]) -> int:
    """Measure, print and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="fresh processes of each kind")
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="tminus-bench-") as name:
        folder = Path(name)
        kinds = _kinds(folder)
        taken: dict[str, list[_Answer]] = {kind.function: [] for kind in kinds}
        for _ in range(options.rounds):
            for kind in kinds:
                taken[kind.function].append(_first_answer(folder, kind))
    _tell(options.out, {function: _Answer.median(answers) for function, answers in taken.items()})
    return 0


def _tell(out: Path, medians: Mapping[str, _Answer]) -> None:
    bare = medians["bare"]
    rows = [
        [function, one.seconds, one.seconds - bare.seconds, one.processor, one.processor - bare.processor]
        for function, one in medians.items()
    ]
    names = ("first_answer_s", "above_bare_s", "processor_s", "processor_above_bare_s")
    figures.keep(
        out, {str(function): dict(zip(names, map(_rounded, found), strict=True)) for function, *found in rows}
    )
    table(["process start to first 200, median", "seconds", "above bare", "processor", "above bare"], rows)
    say("send_shard sends a shard of 100 users; checkpoint and launch answer a repeat")


def _rounded(seconds: object) -> float:
    return round(float(str(seconds)), 3)


def _kinds(folder: Path) -> list[_Kind]:
    """Make the peer's source and a live campaign whose only shard is due; return the request for each function."""
    (folder / "bare.py").write_text(_BARE, encoding="utf-8")
    send_at = RealClock().now().replace(second=0, microsecond=0) - timedelta(minutes=10)
    write_user_data(folder / "data", 100)
    go_live(folder, send_at, lateness_minutes=_LATENESS_MINUTES)
    execution, task = execution_id(RECIPE_ID, send_at), {"X-CloudTasks-TaskName": "bench"}
    return [
        _Kind(function="bare"),
        _Kind(function="send_shard", headers=task, body={"executionId": execution, "push": 1, "shard": 1}),
        _Kind(function="checkpoint", headers=task, body={"executionId": execution}),
        _Kind(
            function="launch",
            headers={"X-CloudScheduler-ScheduleTime": f"{due(send_at)['launch']:%Y-%m-%dT%H:%M:%SZ}"},
            body={"recipeId": RECIPE_ID},
        ),
        _Kind(function="api", method="GET", path="/api/automation/recipes"),
        _Kind(function="console", method="GET"),
    ]


def _first_answer(folder: Path, kind: _Kind) -> _Answer:
    """Return a process's time from its start to its first 200. Each process begins with the same state."""
    state = folder / "used"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(folder / "state", state)
    source = folder / "bare.py" if kind.function == "bare" else _ROOT / "main.py"
    with _port() as port:
        environment = {**os.environ, "STATE_DIR": str(state), "USER_DATA_DIR": str(folder / "data")}
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                sys.executable,
                *("-m", "functions_framework", "--target", kind.function, "--source", str(source)),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            seconds = _until_answered(kind, port, process) - start
            return _Answer(seconds=seconds, processor=_processor_seconds(process.pid))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until_answered(kind: _Kind, port: int, process: "subprocess.Popen[bytes]") -> float:
    """Return when the first 200 came; RuntimeError for any other answer, or none in time."""
    give_up_at = time.perf_counter() + _MOST_SECONDS
    while time.perf_counter() < give_up_at and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_MOST_SECONDS)
        try:
            body = json.dumps(dict(kind.body)) if kind.method == "POST" else None
            headers = {"Content-Type": "application/json", **kind.headers} if body else {}
            connection.request(kind.method, kind.path, body, headers)
            answer = connection.getresponse()
            said, at = answer.read(), time.perf_counter()
        except ConnectionError:
            time.sleep(_LOOK_EVERY_SECONDS)
            continue
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{kind.function} answered {answer.status}: {said[:300]!r}")
        return at
    raise RuntimeError(f"{kind.function} did not answer; its exit status is {process.poll()}")


def _processor_seconds(group: int) -> float:
    """Return the processor seconds of a process group, from proc_pid_stat(5)."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if int(fields[2]) == group else 0
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def _port() -> Iterator[int]:
    """Reserve a port of 127.0.0.1, on which a process started inside the context can listen."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
