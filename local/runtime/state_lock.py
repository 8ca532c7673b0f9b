"""Lock a state folder for one process: two would deliver each other's tasks."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from functions.domain.errors import BadInput

LOCK = ".lock"
INTERRUPTED = ".restore-interrupted"


@contextmanager
def locked(state: Path, *, restoring: bool = False) -> Iterator[None]:
    """Lock a state folder, and create it if it is missing; BadInput if another process holds the lock.

    The lock ends with its process. A folder with an interrupted restore can only be restored.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(f"{state} is in use by another tminus; stop that one or give another --state") from None
        if (state / INTERRUPTED).exists() and not restoring:
            raise BadInput(
                f"{state}: a restore was interrupted; repeat it: tminus restore FILE --state {state} --force"
            )
        yield
