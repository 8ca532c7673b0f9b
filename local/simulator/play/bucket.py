"""Audience files in a bucket in memory: the code of Google Cloud creates them, over a client that has no network."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import cast

from google.api_core import exceptions
from google.cloud.storage import Client

from functions.domain.push.shard import Stored
from functions.gcp.storage import GcsAudienceFiles
from local.memory.files import MemoryAudienceFiles
from local.simulator.play.chance import Chance
from local.simulator.play.faults import TAKEN, Rates


class BucketFiles:
    """Implements AudienceFiles. Creating over a file that is there answers 412, or 403, as Cloud Storage does."""

    def __init__(self, files: MemoryAudienceFiles, chance: Chance, rates: Rates, caller: Callable[[], str]) -> None:
        self._files, self._chance, self._table, self._caller = files, chance, rates.among(TAKEN), caller
        self._refusals = count(1)
        self._created = GcsAudienceFiles(cast("Client", _MemoryClient(self)), "audiences")

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name; see AudienceFiles."""
        return self._created.write_once(name, source)

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines; see AudienceFiles."""
        return self._files.lines(stored)

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; see AudienceFiles."""
        return self._files.read(stored, start, end)

    def delete(self, folder: str) -> None:
        """Delete all files in a folder; see AudienceFiles."""
        self._files.delete(folder)

    def create(self, name: str, source: Path) -> None:
        """Create a file. If there is one, raise PreconditionFailed, or Forbidden instead."""
        taken = self._files.find(name) is not None
        self._files.write_once(name, source)
        if not taken:
            return
        if self._chance.fault(f"{self._caller()}/{next(self._refusals)}:create {name}", self._table):
            raise exceptions.Forbidden(f"no storage.objects.delete access to {name}")  # type: ignore[no-untyped-call]
        raise exceptions.PreconditionFailed(f"{name} is there")  # type: ignore[no-untyped-call]

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


class _MemoryClient:
    """What the code of Google Cloud needs of Cloud Storage's client, its bucket and its blobs to create files."""

    def __init__(self, files: BucketFiles) -> None:
        self._files = files

    def bucket(self, _: str) -> "_MemoryClient":
        return self

    def blob(self, name: str, **_: object) -> "_MemoryBlob":
        return _MemoryBlob(self._files, name)


class _MemoryBlob:
    crc32c, generation, size = "", 0, 0

    def __init__(self, files: BucketFiles, name: str) -> None:
        self._files, self.name = files, name
        self.metadata: dict[str, str] = {}

    def upload_from_filename(self, source: str, **_: object) -> None:
        self._files.create(self.name, Path(source))

    def reload(self, **_: object) -> None:
        stored = self._files.find(self.name)
        if stored is None:
            raise exceptions.NotFound(self.name)  # type: ignore[no-untyped-call]
        algorithm, digest = stored.checksum.split(":")
        self.metadata = {algorithm: digest}
        self.generation, self.size = stored.generation, stored.size_bytes
