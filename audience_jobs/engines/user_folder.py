"""Folders with files of user data, on this machine or in a bucket."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import duckdb

from audience_jobs.errors import NoFolder

_BUCKETS = "gs://"


class UserFolder(Protocol):
    """Files of user data. People and DuckDB use `address` for the folder; it has no `/` at its end."""

    @property
    def address(self) -> str:
        """Return the folder's name."""
        ...

    def files(self) -> Mapping[str, datetime]:
        """Return the names of the files and their modification times.

        NoFolder if a local folder does not exist, NoUserData if the bucket cannot be read.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file to read its first bytes."""
        ...

    def admit(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Prepare a connection to reach the folder, before the connection is sealed."""
        ...

    def access(self) -> AbstractContextManager[None]:
        """Raise NoCredentials or Unavailable if the folder cannot be reached. All use happens inside this context."""
        ...


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def address(self) -> str:
        """Return the folder's absolute path, because DuckDB compares paths with its allowed ones."""
        return str(self._path.resolve())

    def files(self) -> Mapping[str, datetime]:
        """Return the names of the files and when each was written."""
        if not self._path.is_dir():
            raise NoFolder(str(self._path))
        return {
            path.name: datetime.fromtimestamp(path.stat().st_mtime, UTC)
            for path in self._path.iterdir()
            if path.is_file()
        }

    def open(self, name: str) -> BinaryIO:
        """Open a file."""
        return (self._path / name).open("rb")

    def admit(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Do nothing: DuckDB reads local files by itself."""

    def access(self) -> AbstractContextManager[None]:
        """Do nothing: a local folder needs no network."""
        return nullcontext()


def user_folder(place: Path | str) -> UserFolder:
    """Return the folder at a path, or at `gs://bucket/folder`."""
    if str(place).startswith(_BUCKETS):
        from audience_jobs.engines.bucket_folder import BucketFolder  # noqa: PLC0415 - Google's client loads slowly

        return BucketFolder(str(place))
    return LocalFolder(Path(place))


def path_in(folder: UserFolder, name: str) -> str:
    """Return the address of a folder's file for DuckDB and people."""
    return f"{folder.address}/{name}"
