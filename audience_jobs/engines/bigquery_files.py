"""Turn files that BigQuery exported into an audience's CSV."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from google.cloud.storage import Bucket

from audience_jobs.engines.sealed_database import copy_to_csv, sealed_database
from audience_jobs.engines.user_folder import LocalFolder
from audience_jobs.sql import literal, quoted

EXPORTS = "exports/"
"""The bucket's folder for exports, until they have been read."""


class Export:
    """Where BigQuery writes one result, as any number of Parquet files in any order."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._folder = bucket, f"{EXPORTS}{uuid4().hex}/"

    @property
    def uri(self) -> str:
        """The address for EXPORT DATA."""
        return f"gs://{self._bucket.name}/{self._folder}*.parquet"

    def fetch(self, directory: Path) -> list[Path]:
        """Copy the files to a folder, and return their paths."""
        paths = []
        for place, blob in enumerate(self._bucket.list_blobs(prefix=self._folder)):
            paths.append(directory / f"{place}.parquet")
            blob.download_to_filename(str(paths[-1]))
        return paths

    def delete(self) -> None:
        """Remove the files from the bucket."""
        for blob in self._bucket.list_blobs(prefix=self._folder):
            blob.delete()


@contextmanager
def exported(bucket: Bucket) -> Iterator[Export]:
    """Yield a place for an export, and empty it at the end. After a crash, the bucket deletes the files by itself."""
    export = Export(bucket)
    try:
        yield export
    finally:
        export.delete()


def write_sorted(
    export: Export,
    columns: Sequence[str],
    select: str,
    path: Path,
    *,
    temp_dir: Path | None,
    memory_limit_mib: int,
    most_spill_mib: int | None = None,
) -> int:
    """Write a SELECT over `exported`, a table with these columns, as CSV, and return the number of rows.

    DuckDB sorts, and spills what does not fit into memory.
    """
    with TemporaryDirectory(prefix="tminus-export-", dir=temp_dir) as name:
        work_dir = Path(name).resolve()
        paths = export.fetch(work_dir)
        with sealed_database(
            LocalFolder(work_dir), work_dir, memory_limit_mib=memory_limit_mib, most_spill_mib=most_spill_mib
        ) as connection:
            connection.execute(f"CREATE VIEW exported AS {_reading(paths, columns)}")
            staged = work_dir / "rows.csv"
            (count,) = connection.execute(copy_to_csv(select, staged)).fetchall()[0]
        shutil.move(staged, path)
    return int(count)


def _reading(paths: Sequence[Path], columns: Sequence[str]) -> str:
    """Read the files; without rows there may be no file at all."""
    if paths:
        return f"FROM read_parquet([{', '.join(map(literal, paths))}], binary_as_string = true)"
    return f"SELECT {', '.join(f'CAST(NULL AS VARCHAR) AS {quoted(name)}' for name in columns)} WHERE false"
