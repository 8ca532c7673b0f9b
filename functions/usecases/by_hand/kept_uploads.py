"""Files of recipients that the console holds between the steps of a one-off send.

They lie in the folder `lists/`, which only the console reads, and whose files a bucket deletes after a day. The name
has a hash of the person who uploaded the file, so that no other person can use it. A large file is stored in pieces:
Cloud Run takes at most 32 MiB in a request.
"""

import hashlib
import re
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

from functions.domain.audience.uploaded_csv import Source, bad_file
from functions.domain.errors import NotFound
from functions.domain.push.shard import Stored
from functions.ports import Ports
from functions.usecases.by_hand.upload_in_bucket import MOST_BYTES, stored_source

MOST_PIECES = 40
_FOLDER = "lists"
_ID = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-[0-9a-f]{32}")
_KEPT = timedelta(days=1)


def new_upload_id(ports: Ports) -> str:
    """Return the id of a new upload, which begins with the day."""
    return f"{ports.clock.now():%Y-%m-%d}-{uuid4().hex}"


def keep_piece(ports: Ports, upload_id: str, number: int, path: Path, *, by: str) -> None:
    """Store a piece of a file, the first one with number 0. What is stored is not replaced.

    BadFields of `file` if the file becomes too large; NotFound if its id is not one of today or yesterday.
    """
    day = _day_of(upload_id)
    if day is None or not _oldest(ports) <= day <= ports.clock.now().date():
        raise NotFound("this upload has ended: upload the file again")
    if number >= MOST_PIECES or _size(ports, upload_id, number, by) + path.stat().st_size > MOST_BYTES:
        raise bad_file(f"is larger than {MOST_BYTES // 1_000_000} MB: split it")
    ports.files.write_once(_name(upload_id, number, by), path)


def open_kept(ports: Ports, upload_id: str, *, by: str) -> Source:
    """Return a file that a person has uploaded; NotFound if there is none, or no longer."""
    pieces: list[Stored] = []
    while stored := ports.files.find(_name(upload_id, len(pieces), by)):
        pieces.append(stored)
    if not pieces:
        raise NotFound("this file is no longer there: uploads are deleted after a day. Upload it again")
    return stored_source(ports, pieces)


def forget_old_uploads(ports: Ports) -> None:
    """Delete files of earlier days on a machine without a bucket. A bucket's lifecycle does the same."""
    if ports.policy.bucket:
        return
    for name in ports.files.names(_FOLDER):
        day = _day_of(name.split("/")[-2])
        if day and day < _oldest(ports):
            ports.files.remove(name)


def _oldest(ports: Ports) -> date:
    return ports.clock.now().date() - _KEPT


def _day_of(upload_id: str) -> date | None:
    """Return the day with which an id begins; None for what is no id of an upload."""
    found = _ID.fullmatch(upload_id)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _size(ports: Ports, upload_id: str, pieces: int, by: str) -> int:
    found = [ports.files.find(_name(upload_id, number, by)) for number in range(pieces)]
    return sum(stored.size_bytes for stored in found if stored)


def _name(upload_id: str, number: int, by: str) -> str:
    if _day_of(upload_id) is None:
        raise NotFound("there is no such upload")
    owner = hashlib.sha256(by.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{_FOLDER}/{owner}/{upload_id}/{number:02d}.csv"
