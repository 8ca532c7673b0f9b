"""Make Ctrl-C end every command within a second, with one line."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

STATUS = 128 + signal.SIGINT
"""The exit status of a command that SIGINT ended."""
GRACE_SECONDS = 0.7
"""How long a command may take to clean up."""
_LINE = "tminus: stopped by Ctrl-C; run the command again to finish it\n"
_WATCHING = "interrupt"
_seen = threading.Event()


def leave_at_once() -> None:
    """End the process on SIGINT without an exception, while modules load and there is nothing to clean up.

    Raised while a C extension loads, KeyboardInterrupt comes out as another error.
    """
    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):  # otherwise SIGINT is ignored, as in a shell's background
        signal.signal(signal.SIGINT, lambda *_: _end())


def leave_soon() -> None:
    """Raise KeyboardInterrupt on SIGINT, and end the process if it does not end soon.

    A watching thread notices the signal even while the main thread is inside a library.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return
    hears, rings = os.pipe()
    os.set_blocking(rings, False)
    signal.signal(signal.SIGINT, _interrupt)
    signal.set_wakeup_fd(rings, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(hears,), name=_WATCHING, daemon=True).start()


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """After `leave_soon`: inside the context, which loads modules, SIGINT does what it does after `leave_at_once`."""
    if signal.getsignal(signal.SIGINT) is not _interrupt:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: _end())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _interrupt)


def let_go() -> None:
    """Leave SIGINT to another handler, which may take longer."""
    signal.set_wakeup_fd(-1)


def seen() -> bool:
    """Return whether Ctrl-C was pressed: a library may have converted it to another exception."""
    return _seen.is_set()


def end() -> NoReturn:
    """Print the line and end the process without joining threads: a library in a thread could crash."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    _end()


def leave(asked: SystemExit) -> NoReturn:
    """End the process as asked, also while other threads run; after Ctrl-C as `end`.

    Python would shut down below them: a thread that is inside of DuckDB then aborts the process.
    """
    if seen():
        end()
    if any(thread.name != _WATCHING for thread in threading.enumerate() if thread is not threading.main_thread()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(asked.code if isinstance(asked.code, int) else asked.code is not None)
    raise asked


def _interrupt(number: int, frame: FrameType | None) -> None:
    _seen.set()
    signal.default_int_handler(number, frame)


def _watch(hears: int) -> None:
    while os.read(hears, 1) != bytes([signal.SIGINT]):
        pass
    time.sleep(GRACE_SECONDS)
    _end()


def _end() -> NoReturn:
    os.write(2, _LINE.encode())  # the main thread may hold the lock of sys.stderr
    os._exit(STATUS)
