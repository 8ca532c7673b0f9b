"""Back up a state folder to one file while `tminus up` runs, and restore it without sending anything twice.

The database is copied at one instant, by a connection that sees nothing later. Everything else fits that instant:
audience files are written once, before the database names them, and of the outbox the file takes what was there while
no writer could commit. So each row that counts as sent has its line, and each line has a row with at least an INTENT.
"""

import json
import os
import shutil
import sqlite3
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.domain.errors import BadInput
from functions.domain.instants import instant, stamp
from functions.domain.push.shard import PushFiles
from local.embedded.unavailable import database_trouble
from local.runtime.persistent_clock import CLOCK, PersistentClock
from local.runtime.state_lock import INTERRUPTED, LOCK

DATABASE = "tminus.db"
_LOGS = ("outbox.jsonl", "alerts.jsonl")
_FOLDERS = ("audiences", "devices", "receipts")
_CONTENTS = "backup.json"
_FORMAT = 1
_DRAFT = ".restore-draft"
_PATIENCE_SECONDS = 30.0
_ATTEMPTS = 3
_BETWEEN_ATTEMPTS_SECONDS = 0.5
_READ_ONLY = 0o444
_COMPRESSION = 1
_UNFINISHED = """
    SELECT pushes.document FROM pushes JOIN executions ON executions.id = pushes.execution_id
    WHERE executions.unfinished
"""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a backup holds: when it was taken, on the state's clock, and whether that was a fast one.

    `files` are the files by name, each with the instant in nanoseconds by which the database knows it again.
    """

    taken_at: datetime
    fast: bool
    files: dict[str, int]

    def document(self) -> dict[str, Any]:
        """Return what is written into the file."""
        written = {"takenAt": stamp(self.taken_at), "fastClock": self.fast, "files": self.files}
        return {"format": _FORMAT, "tminus": version("tminus"), **written}


def back_up(state: Path, target: Path, now: datetime) -> Contents:
    """Write a state folder, which may be in use, to a file, completely or not at all.

    Only its owner can read the file.

    `now` is the instant of the backup, unless a fast clock kept one. BadInput without a state.
    """
    if not (state / DATABASE).is_file():
        raise BadInput(f"{state}: no Tminus state is there; name the folder by --state")
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as aside:
        for attempt in reversed(range(_ATTEMPTS)):
            draft = Path(aside) / target.name
            contents, complete = _write(state, draft, Path(aside) / DATABASE, now)
            if complete or not attempt:
                break
            time.sleep(_BETWEEN_ATTEMPTS_SECONDS)  # an execution was cleaned up in the meantime
        draft.replace(target)
    return contents


def _write(state: Path, draft: Path, copy: Path, now: datetime) -> tuple[Contents, bool]:
    """Write a draft, and say whether all files are in it that executions under way need."""
    copy.unlink(missing_ok=True)
    kept = PersistentClock(state / CLOCK).read()
    sizes = _copy_database(state, copy)
    contents = Contents(taken_at=kept or now, fast=kept is not None, files={})
    opener = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    with os.fdopen(opener, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=_COMPRESSION) as tar:
        tar.add(copy, DATABASE)
        for name, size in sizes.items():
            _add(tar, state / name, name, contents.files, size)
        for folder in _FOLDERS:
            for path in sorted((state / folder).rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    _add(tar, path, path.relative_to(state).as_posix(), contents.files)
        text = json.dumps(contents.document()).encode()
        described = tarfile.TarInfo(_CONTENTS)
        described.size = len(text)
        tar.addfile(described, BytesIO(text))
        tar.close()
        file.flush()
        os.fsync(file.fileno())
    return contents, _needed(copy) <= contents.files.keys()


def _copy_database(state: Path, copy: Path) -> dict[str, int]:
    """Copy the database at one instant; return the sizes of the logs at that instant."""
    path = state / DATABASE
    address = f"{path.resolve().as_uri()}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)) as holder,
            closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)) as reader,
            closing(sqlite3.connect(copy)) as written,
        ):
            holder.execute("BEGIN IMMEDIATE")  # no writer commits a result while the logs are measured
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees nothing later
            sizes = {name: (state / name).stat().st_size for name in _LOGS if (state / name).exists()}
            holder.execute("ROLLBACK")
            reader.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise database_trouble(path, error) or error from error
    return sizes


def _needed(copy: Path) -> set[str]:
    with closing(sqlite3.connect(copy)) as database:
        pushes = [PushFiles.read(json.loads(document)) for (document,) in database.execute(_UNFINISHED)]
    audiences = [audience for push in pushes for audience in (push.live, push.test)]
    return {file.stored.name for audience in audiences for file in (audience.rows, audience.devices)}


def _add(tar: tarfile.TarFile, path: Path, name: str, files: dict[str, int], size: int | None = None) -> None:
    """Add a file, or its first bytes. A missing file was deleted by a cleanup."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        entry = tar.gettarinfo(arcname=name, fileobj=file)
        entry.size = entry.size if size is None else size
        tar.addfile(entry, file)
        files[name] = os.fstat(file.fileno()).st_mtime_ns


def unpack(backup: Path, folder: Path) -> Contents:
    """Unpack a backup into an empty folder; BadInput for a file that is damaged or not a backup."""
    try:
        with tarfile.open(backup, "r:gz") as tar:
            for entry in tar:
                _extract(tar, entry, folder)
        contents = _read_contents(json.loads((folder / _CONTENTS).read_text()))
        with closing(sqlite3.connect(folder / DATABASE)) as database:
            [said] = database.execute("PRAGMA quick_check(1)").fetchone()
    except (tarfile.TarError, EOFError, zlib.error, sqlite3.Error, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{backup}: not a backup of tminus, or damaged: {error}") from error
    except FileNotFoundError as error:
        if error.filename == str(backup):
            raise
        raise BadInput(f"{backup}: not a backup of tminus: it holds no {Path(error.filename).name}") from error
    if said != "ok":
        raise BadInput(f"{backup}: the database in it is damaged: {said}")
    (folder / _CONTENTS).unlink()
    for name, changed_at in contents.files.items():
        path = folder / name
        os.utime(path, ns=(changed_at, changed_at))
        if "/" in name:
            path.chmod(_READ_ONLY)
    return contents


def _extract(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    """Write a file of a backup; ValueError for anything else, and for a file outside of the folder.

    The extraction filters of `tarfile` came with Python 3.11.4; Debian 12 has 3.11.2.
    """
    path = folder / entry.name
    read = tar.extractfile(entry) if entry.isreg() else None
    if read is None or not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"it holds {entry.name}, which is not a file of a state")
    path.parent.mkdir(parents=True, exist_ok=True)
    with read, path.open("xb") as file:
        path.chmod(entry.mode & 0o755 | 0o600)
        shutil.copyfileobj(read, file)


def _read_contents(document: dict[str, Any]) -> Contents:
    if document["format"] != _FORMAT:
        raise ValueError(f"it has format {document['format']}, this release reads {_FORMAT}")
    return Contents(taken_at=instant(document["takenAt"]), fast=document["fastClock"], files=dict(document["files"]))


@contextmanager
def draft_folder(state: Path) -> Iterator[Path]:
    """Yield an empty folder in a state folder, to prepare its replacement; it is deleted at the end."""
    draft = state / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def held_by(state: Path) -> list[Path]:
    """Return the content of a state folder, except what a restore leaves in it."""
    passing = {LOCK, INTERRUPTED, _DRAFT}
    return [path for path in sorted(state.iterdir()) if path.name not in passing and not _is_aside(path)]


def put_in_place(state: Path, draft: Path, now: datetime) -> Path | None:
    """Let a draft take the place of what a state folder holds; return where that lies now, None where it was empty.

    A process that dies in between leaves a mark, by which every command refuses the folder until it is restored.
    """
    (state / INTERRUPTED).touch()
    before, aside = held_by(state), state / f"{_ASIDE}{now:%Y%m%dT%H%M%S%fZ}"
    for path in before:
        aside.mkdir(exist_ok=True)
        path.rename(aside / path.name)
    for path in sorted(draft.iterdir()):
        path.rename(state / path.name)
    (state / INTERRUPTED).unlink()
    return aside if before else None


_ASIDE = "before-restore-"


def _is_aside(path: Path) -> bool:
    return path.name.startswith(_ASIDE)
