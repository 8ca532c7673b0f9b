"""Files of user data in a Cloud Storage bucket. DuckDB reads them in place, only the columns that a job needs.

DuckDB's extension httpfs reads Cloud Storage by ranges, with the access token of this process. Parquet costs a
fraction of CSV. The extension comes as a package, pinned to DuckDB's version, so a function fetches nothing when it
starts. DuckDB checks that its own developers signed it.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import duckdb
from google.api_core.exceptions import Forbidden, NotFound, Unauthorized
from google.auth import default
from google.auth.transport.requests import Request
from google.cloud.storage import Client
from google.cloud.storage.retry import DEFAULT_RETRY

from audience_jobs.engines.google_access import google_access
from audience_jobs.errors import ClosedFolder, NoUserData
from audience_jobs.sql import literal

_HEADER_BYTES_AT_ONCE = 256 * 1024
_PATIENCE_SECONDS = 20.0
"""How long the first request is repeated. It is short because a person may be waiting without a network."""
_NO_PROJECT = "none"
"""Reading objects needs no project, and the credentials of a person may have none."""
_READ_ONLY = "https://www.googleapis.com/auth/devstorage.read_only"


class BucketFolder:
    """A folder of a bucket, as `gs://bucket/folder`; the objects directly below it are its files."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._bucket, _, self._folder = self.address.removeprefix("gs://").partition("/")

    def files(self) -> Mapping[str, datetime]:
        """Return the names of the files and when each was written."""
        retry = DEFAULT_RETRY.with_timeout(_PATIENCE_SECONDS)
        blobs = self._client.list_blobs(self._bucket, prefix=self._name_of(""), delimiter="/", retry=retry)
        try:
            return {PurePosixPath(blob.name).name: blob.updated for blob in blobs}
        except NotFound:
            raise NoUserData(self.address, "is in a bucket that does not exist") from None
        except (Forbidden, Unauthorized):
            raise ClosedFolder(self.address) from None

    def open(self, name: str) -> BinaryIO:
        """Open a file; only the requested part is read."""
        blob = self._client.bucket(self._bucket).blob(self._name_of(name))
        return cast("BinaryIO", blob.open("rb", chunk_size=_HEADER_BYTES_AT_ONCE))

    def admit(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Load the extension that reads Cloud Storage, and pass it the present token of this process."""
        extension = files("duckdb_extension_httpfs") / f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
        connection.execute(f"LOAD {literal(extension)}")
        endpoint = urlsplit(self._client.api_endpoint)
        connection.execute(f"""
            CREATE SECRET (
                TYPE gcs, SCOPE {literal(f"gs://{self._bucket}")}, BEARER_TOKEN {literal(self._token())},
                ENDPOINT {literal(endpoint.netloc)}, USE_SSL {endpoint.scheme == "https"}, URL_STYLE 'path'
            )
        """)

    def access(self) -> AbstractContextManager[None]:
        """Raise NoCredentials or Unavailable if the bucket cannot be reached."""
        return google_access()

    @cached_property
    def _client(self) -> Any:
        return Client(project=_NO_PROJECT)

    def _token(self) -> str:
        if urlsplit(self._client.api_endpoint).scheme != "https":
            return "none"  # an emulator needs no token
        credentials, _ = default(scopes=[_READ_ONLY])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
        return str(credentials.token)

    def _name_of(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name
