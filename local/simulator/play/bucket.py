"""Audience files in a bucket in memory, created by the rule of Google Cloud."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from functions.domain.errors import NotReady
from functions.domain.push.shard import Stored
from functions.gcp.stored_once import NameTaken, stored_once
from local.memory.files import MemoryAudienceFiles
from local.simulator.play.chance import Chance
from local.simulator.play.faults import TAKEN, Rates


class BucketFiles:
    """Implements AudienceFiles. Creating over a file that is there answers 412, or 403, as Cloud Storage does."""

    def __init__(self, files: MemoryAudienceFiles, chance: Chance, rates: Rates, caller: Callable[[], str]) -> None:
        self._files, self._chance, self._table, self._caller = files, chance, rates.among(TAKEN), caller
        self._refusals = count(1)

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name; see AudienceFiles."""
        checksum = f"sha256:{hashlib.sha256(source.read_bytes()).hexdigest()}"
        create, find = partial(self._create, name, source), partial(self._files.find, name)
        return stored_once(create, find, name, checksum)

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines; see AudienceFiles."""
        return self._files.lines(stored)

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; see AudienceFiles."""
        return self._files.read(stored, start, end)

    def delete(self, folder: str) -> None:
        """Delete all files in a folder; see AudienceFiles."""
        self._files.delete(folder)

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of all files in a folder; see AudienceFiles."""
        return self._files.names(folder)

    def find(self, name: str) -> Stored | None:
        """Return the stored file of a name; see AudienceFiles."""
        return self._files.find(name)

    def remove(self, name: str) -> None:
        """Delete a file; see AudienceFiles."""
        self._files.remove(name)

    def expire(self, execution_id: str) -> None:
        """Delete the files of an execution; see AudienceFiles."""
        self._files.expire(execution_id)

    def _create(self, name: str, source: Path) -> None:
        taken = self._files.find(name) is not None
        self._files.write_once(name, source)
        if not taken:
            return
        if self._chance.fault(f"{self._caller()}/{next(self._refusals)}:create {name}", self._table):
            raise NameTaken(denied=NotReady("AUDIENCE_BUCKET", f"no access to delete {name}"))
        raise NameTaken
