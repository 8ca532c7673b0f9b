"""Write-once files in a bucket of Cloud Storage."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from google.api_core import exceptions
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from functions.domain.errors import BadAudience, Transient
from functions.domain.push.shard import Stored
from functions.gcp.trouble import translated
from functions.logs import log

_CHECKSUM = "sha256"
_PATIENCE_SECONDS = 30.0
_SENT_AT_ONCE = 16 * 1024 * 1024
"""Bytes of a large file in memory while it is uploaded. The client's default is 100 MiB."""
_READ_AT_ONCE = 4 * 1024 * 1024
"""Bytes per read of a file that is read line by line. The client's default of 40 MiB would take twice that memory."""
_translated = partial(translated, "Cloud Storage", "AUDIENCE_BUCKET")


class GcsAudienceFiles:
    """Implements AudienceFiles in a bucket. A file's generation proves that a later read returns the same content."""

    def __init__(self, client: Client, bucket: str) -> None:
        self._client, self._bucket = client, client.bucket(bucket)

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name. If the name is taken, the existing file wins and is returned.

        The server checks a checksum made here. If an upload succeeded but its answer was lost, the repetition is
        refused, and the file is found. An account that may create files but not delete them may be refused with 403
        instead of 412. So the file that is found decides: without one, the account may not create it, which raises
        NotReady.
        """
        blob = self._bucket.blob(_checked(name), chunk_size=_SENT_AT_ONCE)
        with source.open("rb") as content:
            own = hashlib.file_digest(content, "sha256").hexdigest()
        blob.metadata = {_CHECKSUM: own}
        with _translated():
            try:
                blob.upload_from_filename(
                    str(source),
                    content_type="text/csv; charset=utf-8",
                    if_generation_match=0,
                    checksum="crc32c",
                    **_patiently(),
                )
            except (exceptions.PreconditionFailed, exceptions.Forbidden) as refusal:
                return self._taken(name, own, refusal)
            except (DataCorruption, ValueError) as error:  # the upload arrived damaged or incomplete
                raise Transient(f"Cloud Storage has not kept all of {name}: {error}") from error
            try:
                blob.reload(**_patiently())
            except exceptions.NotFound as error:
                raise Transient(f"{name} was deleted while it was being written") from error
        return _as_stored(blob)

    def _taken(self, name: str, own: str, refusal: exceptions.GoogleAPICallError) -> Stored:
        """Return the file for which Cloud Storage refused to store another one, of the checksum `own`."""
        blob = self._bucket.blob(name)
        try:
            blob.reload(**_patiently())
        except exceptions.NotFound as error:
            if isinstance(refusal, exceptions.Forbidden):
                raise refusal from error
            raise Transient(f"{name} was deleted while it was being written") from error
        stored = _as_stored(blob)
        if stored.checksum != f"sha256:{own}":
            log.info("another file of this name is kept", extra={"action": "file_kept", "file": name})
        return stored

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their line ends; BadAudience if the file is missing or was replaced."""
        rest = b""
        for start in range(0, stored.size_bytes, _READ_AT_ONCE):
            piece = rest + self.read(stored, start, min(start + _READ_AT_ONCE, stored.size_bytes))
            *lines, rest = piece.split(b"\n")
            for line in lines:
                yield line + b"\n"
        if rest:
            yield rest
        if not stored.size_bytes:
            self._find(stored)

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; BadAudience if the file is missing or was replaced."""
        blob = self._bucket.blob(_checked(stored.name), generation=stored.generation)
        if start >= end:
            return b""
        with _translated():
            try:
                content: bytes = blob.download_as_bytes(
                    start=start, end=end - 1, raw_download=True, checksum=None, **_patiently()
                )
            except (exceptions.NotFound, exceptions.RequestRangeNotSatisfiable):
                raise _gone(stored) from None
        if len(content) != end - start:
            raise BadAudience(f"{stored.name}: has {start + len(content):,} bytes, not {end:,}; build it again")
        return content

    def delete(self, folder: str) -> None:
        """Delete all files in a folder, if there are any."""
        with _translated():
            for blob in self._client.list_blobs(self._bucket, prefix=f"{_checked(folder)}/", **_patiently()):
                try:
                    blob.delete(**_patiently())
                except exceptions.NotFound:
                    continue

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of all files in a folder and below it."""
        with _translated():
            blobs = self._client.list_blobs(self._bucket, prefix=f"{_checked(folder)}/", **_patiently())
            return sorted(blob.name for blob in blobs)

    def find(self, name: str) -> Stored | None:
        """Return the stored file of a name; None if there is none."""
        blob = self._bucket.blob(_checked(name))
        with _translated():
            try:
                blob.reload(**_patiently())
            except exceptions.NotFound:
                return None
        return _as_stored(blob)

    def remove(self, name: str) -> None:
        """Delete a file, if there is one."""
        with _translated(), suppress(exceptions.NotFound):
            self._bucket.blob(_checked(name)).delete(**_patiently())

    def expire(self, execution_id: str) -> None:
        """Do nothing: the bucket's lifecycle deletes audiences and receipts (infra/modules/storage)."""

    def _find(self, stored: Stored) -> None:
        blob = self._bucket.blob(stored.name, generation=stored.generation)
        with _translated():
            if not blob.exists(**_patiently()):
                raise _gone(stored)


def _as_stored(blob: Blob) -> Stored:
    """Return what a file's properties say, once they are loaded."""
    checksum = (blob.metadata or {}).get(_CHECKSUM, "")
    return Stored(
        name=blob.name,
        generation=int(blob.generation),
        checksum=f"sha256:{checksum}" if checksum else f"crc32c:{blob.crc32c}",
        size_bytes=int(blob.size),
    )


def _patiently() -> dict[str, Any]:
    """Return the options for repeating a request for half a minute. The library's default is minutes."""
    again = DEFAULT_RETRY.with_delay(initial=0.1, maximum=5.0).with_timeout(_PATIENCE_SECONDS)
    return {"retry": again, "timeout": _PATIENCE_SECONDS / 2}


def _gone(stored: Stored) -> BadAudience:
    return BadAudience(
        f"{stored.name}: the file is gone or was changed since it was stored; build the audience again"
    )


def _checked(name: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or {".", ".."} & set(parts):
        raise ValueError(f"{name!r} does not name a file of the bucket")
    return name
