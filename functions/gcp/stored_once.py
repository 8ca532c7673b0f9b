"""Create a file once: where its name is taken, the file that is there wins. Without Google's libraries."""

from collections.abc import Callable

from functions.domain.errors import Transient
from functions.domain.push.shard import Stored
from functions.logs import log

Find = Callable[[], Stored | None]


class NameTaken(Exception):
    """A file is refused because its name is taken: 412, or 403, which may also mean that it may not be created.

    `denied` is the error of a 403.
    """

    def __init__(self, denied: Exception | None = None) -> None:
        self.denied = denied


def stored_once(create: Callable[[], None], find: Find, name: str, checksum: str) -> Stored:
    """Create a file of a checksum, and return the file that then has its name.

    `create` raises NameTaken, and `find` returns the file of the name. Transient if the file was deleted meanwhile.
    """
    try:
        create()
    except NameTaken as refusal:
        return found_instead(refusal, find, name, checksum)
    stored = find()
    if stored is None:
        raise Transient(f"{name} was deleted while it was being written")
    return stored


def found_instead(refusal: NameTaken, find: Find, name: str, checksum: str) -> Stored:
    """Return the file that has the name instead; if there is none after a 403, raise that error."""
    stored = find()
    if stored is None and refusal.denied is not None:
        raise refusal.denied
    if stored is None:
        raise Transient(f"{name} was deleted while it was being written")
    if stored.checksum != checksum:
        log.info("another file of this name is kept", extra={"action": "file_kept", "file": name})
    return stored
