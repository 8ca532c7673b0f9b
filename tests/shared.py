"""Servers that the workers of one run share: one of them starts a server, and stops it when all have left it."""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

_POLL_SECONDS = 0.2
_Variables = dict[str, str]


@contextmanager
def shared(folder: Path, start: Callable[[Path], AbstractContextManager[_Variables]]) -> Iterator[_Variables]:
    """Yield what `start` yields for the folder, here or in the first process that asked for it.

    The process that has started it waits at the end until no other uses it. One that dies counts as having left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = folder / "variables.json"
    with ExitStack() as server, (folder / "users").open("w") as users:
        with _locked(folder):
            if not variables.exists():
                variables.write_text(json.dumps(server.enter_context(start(folder))), encoding="utf-8")
                server.callback(_wait_until_unused, folder, variables)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield json.loads(variables.read_text(encoding="utf-8"))
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)


def _wait_until_unused(folder: Path, variables: Path) -> None:
    """Return when no process uses the server; one that asks later starts its own."""
    with (folder / "users").open("w") as users:
        while True:
            with _locked(folder):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    variables.unlink()
                    return
            time.sleep(_POLL_SECONDS)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
