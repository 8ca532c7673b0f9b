"""Half a core for a process and its children, wherever tests run: no rights and no cgroups needed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

_PERIOD_SECONDS = 0.1


@contextmanager
def half_a_core(group: int) -> Iterator[None]:
    """Let a process group run on one core, half of the time, while the context lasts."""
    os.sched_setaffinity(group, {min(os.sched_getaffinity(0))})
    ended = Event()
    thread = Thread(target=_throttle, args=(group, ended), name="slow machine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)


def _throttle(group: int, ended: Event) -> None:
    with suppress(ProcessLookupError):
        while not ended.wait(_PERIOD_SECONDS / 2):
            os.killpg(group, signal.SIGSTOP)
            ended.wait(_PERIOD_SECONDS / 2)
            os.killpg(group, signal.SIGCONT)
