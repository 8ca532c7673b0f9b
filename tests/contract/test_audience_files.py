"""What every AudienceFiles does."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.domain.errors import BadAudience
from functions.domain.push.shard import Stored

AtOnce = Callable[[int, Callable[[int], Any]], list[Any]]
NAME = "audiences/daily_20261123T180000Z/1-größe 👟.csv"
CONTENT = 'user_id,firstName\r\na,Zoë\nb,"Jo\nhn"\n'.encode()


def test_a_file_is_stored_with_its_size_and_checksum(ports: Any, a_source: Any) -> None:
    stored = ports.files.write_once(NAME, a_source())
    assert (stored.name, stored.size_bytes) == (NAME, len(CONTENT))
    assert stored.checksum == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def test_lines_keep_their_ends_and_ranges_are_exact(ports: Any, open_ports: Any, a_source: Any) -> None:
    stored = ports.files.write_once(NAME, a_source())
    assert list(open_ports().files.lines(stored)) == CONTENT.splitlines(keepends=True)
    assert ports.files.read(stored, 19, 27) == CONTENT[19:27]
    assert ports.files.read(stored, 0, len(CONTENT)) == CONTENT
    assert ports.files.read(stored, 5, 5) == b""


def test_an_empty_file_can_be_stored(ports: Any, a_source: Any) -> None:
    stored = ports.files.write_once(NAME, a_source(b""))
    assert list(ports.files.lines(stored)) == []


def test_the_first_file_of_a_name_stays_and_later_writers_are_given_it(ports: Any, a_source: Any) -> None:
    stored = ports.files.write_once(NAME, a_source())
    assert ports.files.write_once(NAME, a_source(b"other")) == stored
    assert ports.files.read(stored, 0, len(CONTENT)) == CONTENT


def test_of_concurrent_writers_one_wins_and_all_are_given_its_file(
    open_ports: Any, a_source: Any, at_once: AtOnce
) -> None:
    contents = [bytes([65 + number]) * 200_000 for number in range(12)]
    sources = [a_source(content, f"source-{number}") for number, content in enumerate(contents)]
    stored = at_once(12, lambda number: open_ports().files.write_once(NAME, sources[number]))
    assert len(set(stored)) == 1
    assert open_ports().files.read(stored[0], 0, 200_000) in contents


def test_a_deleted_folder_takes_its_files_along_and_no_others(ports: Any, a_source: Any) -> None:
    gone = ports.files.write_once("audiences/e1/1.csv", a_source())
    kept = ports.files.write_once("audiences/e10/1.csv", a_source())
    ports.files.delete("audiences/e1")
    ports.files.delete("audiences/e1")
    with pytest.raises(BadAudience, match=r"audiences/e1/1\.csv"):
        ports.files.read(gone, 0, 1)
    with pytest.raises(BadAudience, match=r"audiences/e1/1\.csv"):
        list(ports.files.lines(gone))
    assert ports.files.read(kept, 0, 1) == b"u"


def test_a_file_that_was_replaced_is_not_read(ports: Any, a_source: Any) -> None:
    stored = ports.files.write_once("audiences/e1/1.csv", a_source())
    ports.files.delete("audiences/e1")
    ports.files.write_once("audiences/e1/1.csv", a_source(CONTENT + b"more"))
    with pytest.raises(BadAudience, match=r"audiences/e1/1\.csv"):
        ports.files.read(stored, 0, 1)


def test_a_write_that_fails_leaves_no_file(ports: Any, a_source: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ports.files.write_once(NAME, tmp_path / "missing")
    assert ports.files.write_once(NAME, a_source()).size_bytes == len(CONTENT)


@pytest.mark.parametrize("name", ["../out.csv", "audiences/../../out.csv", "/tmp/out.csv", "", "."])
def test_a_name_outside_the_folder_is_refused(ports: Any, a_source: Any, name: str) -> None:
    with pytest.raises(ValueError, match="does not name a file"):
        ports.files.write_once(name, a_source())
    with pytest.raises(ValueError, match="does not name a file"):
        ports.files.delete(name)
    with pytest.raises(ValueError, match="does not name a file"):
        ports.files.read(Stored(name=name, generation=0, checksum="", size_bytes=0), 0, 1)


def test_files_are_found_by_name_listed_and_deleted_one_by_one(ports: Any, open_ports: Any, a_source: Any) -> None:
    first = ports.files.write_once("audiences/e1/1.csv", a_source())
    other = ports.files.write_once("audiences/e10/größe.csv", a_source(b""))
    assert open_ports().files.names("audiences") == ["audiences/e1/1.csv", "audiences/e10/größe.csv"]
    assert open_ports().files.names("audiences/e1") == ["audiences/e1/1.csv"]
    assert (ports.files.find("audiences/e1/1.csv"), ports.files.find("audiences/e1/2.csv")) == (first, None)
    for _ in range(2):
        open_ports().files.remove("audiences/e1/1.csv")
    assert (ports.files.names("audiences"), ports.files.names("receipts")) == ([other.name], [])
