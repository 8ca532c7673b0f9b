"""Read an uploaded file from the deployment's own bucket: Cloud Run takes at most 32 MiB in a request."""

import io
import re
from collections.abc import Sequence

from functions.domain.audience.uploaded_csv import Source
from functions.domain.errors import BadFields, FieldError
from functions.domain.push.shard import Stored
from functions.ports import Ports

FOLDER = "uploads/"
"""Where people and programs put files. They may name no file outside of it: others hold audiences and tokens."""
MOST_BYTES = 150_000_000
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}){0,5}")
_READ_AT_ONCE = 4 * 1024 * 1024


def open_upload(ports: Ports, address: str, field: str) -> Source:
    """Return the file at `gs://BUCKET/uploads/NAME`, as it is now; BadFields of `field` for any other address."""
    bucket = ports.policy.bucket
    if not bucket:
        raise BadFields([FieldError(field, "needs a bucket, which a laptop has not: send the file in the request")])
    start = f"gs://{bucket}/{FOLDER}"
    name = address.removeprefix(start)
    if not address.startswith(start) or not _NAME.fullmatch(name):
        reason = f"must be {start}NAME, with a name of letters, digits, '.', '-', '_' and '/'"
        raise BadFields([FieldError(field, reason)])
    stored = ports.files.find(f"{FOLDER}{name}")
    if stored is None:
        way = f"put it there with gcloud storage cp FILE {address}"
        raise BadFields([FieldError(field, f"names no file: {way}")])
    if stored.size_bytes > MOST_BYTES:
        raise BadFields(
            [FieldError(field, f"names a file of {stored.size_bytes:,} bytes; at most {MOST_BYTES:,} are read")]
        )
    return stored_source(ports, [stored])


def stored_source(ports: Ports, pieces: Sequence[Stored]) -> Source:
    """Return the pieces of a stored file as one file."""
    return io.BufferedReader(_StoredFile(ports, pieces), _READ_AT_ONCE)


class _StoredFile(io.RawIOBase):
    """The pieces of a stored file, read range by range, at the generations that were found."""

    def __init__(self, ports: Ports, pieces: Sequence[Stored]) -> None:
        self._ports, self._pieces, self._place = ports, [*pieces], 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Read the next bytes into a buffer, and return their number."""
        while self._pieces and self._place >= self._pieces[0].size_bytes:
            self._pieces, self._place = self._pieces[1:], 0
        if not self._pieces:
            return 0
        end = min(self._place + len(buffer), self._pieces[0].size_bytes)
        content = self._ports.files.read(self._pieces[0], self._place, end)
        buffer[: len(content)] = content
        self._place = end
        return len(content)
