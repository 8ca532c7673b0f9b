"""Runs one function in its own Python process on one core, and measures its time and memory."""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_CLEAR_REFERENCES = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
_ROOT = Path(__file__).parent.parent


def measured_core() -> int:
    """Return the core for the measured process."""
    return min(os.sched_getaffinity(0))


def other_core() -> int:
    """Return the core for helper processes; the measured core if there is only one."""
    return max(os.sched_getaffinity(0))


def run_alone(target: str, arguments: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Any:
    """Call `module:function` with keyword arguments in a new process on the measured core; return its result.

    Arguments and result are JSON values. Raises RuntimeError if the process fails. It writes to our stderr.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "bench.process", target],
        input=json.dumps({"core": measured_core(), "arguments": dict(arguments)}),
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{target} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


class Usage:
    """Wall time, processor time and peak memory from the creation of this object to `document`.

    The peak is the kernel's VmHWM, reset at the start, because `ru_maxrss` would begin with the parent's value.
    """

    def __init__(self) -> None:
        self._before_mib = _status_mib("VmRSS")
        _CLEAR_REFERENCES.write_text(_RESET_PEAK, encoding="ascii")
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def document(self) -> dict[str, float]:
        """Return seconds and MiB: the peak, and the memory at the start."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "processor_seconds": time.process_time() - self._processor,
            "peak_mib": _status_mib("VmHWM"),
            "before_mib": self._before_mib,
        }


def _status_mib(name: str) -> float:
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def _serve(target: str) -> None:
    order = json.load(sys.stdin)
    os.sched_setaffinity(0, {order["core"]})
    module, _, name = target.partition(":")
    answer = getattr(importlib.import_module(module), name)(**order["arguments"])
    sys.stdout.write(f"{json.dumps(answer)}\n")


if __name__ == "__main__":
    _serve(sys.argv[1])
