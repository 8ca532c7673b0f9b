"""What files in a folder do beyond what every AudienceFiles does."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.domain.errors import BadAudience
from local.embedded.files import FolderAudienceFiles

CONTENT = b"user_id,firstName\na,b\n"


@pytest.fixture
def files(tmp_path: Path) -> FolderAudienceFiles:
    return FolderAudienceFiles(tmp_path / "files")


def test_a_file_that_was_edited_in_place_is_not_read(files: Any, a_source: Any, tmp_path: Path) -> None:
    stored = files.write_once("audiences/e1/1.csv", a_source())
    path = tmp_path / "files" / "audiences/e1/1.csv"
    assert path.stat().st_mode & 0o777 == 0o444
    os.utime(path, ns=(0, stored.generation + 1))
    with pytest.raises(BadAudience, match="changed"):
        files.read(stored, 0, 1)
    with pytest.raises(BadAudience, match="changed"):
        list(files.lines(stored))


def test_a_write_that_fails_leaves_nothing_behind(files: Any, a_source: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.write_once("audiences/e1/1.csv", tmp_path / "missing")
    files.write_once("audiences/e1/1.csv", a_source())
    assert [path.name for path in (tmp_path / "files/audiences/e1").iterdir()] == ["1.csv"]


WRITE_FROM_A_PIPE = """
import sys
from pathlib import Path
from local.embedded.files import FolderAudienceFiles

FolderAudienceFiles(Path(sys.argv[1])).write_once("audiences/e1/1.csv", Path(sys.argv[2]))
"""


def test_a_writer_that_is_killed_halfway_leaves_no_file_and_delete_sweeps_its_traces(
    files: Any, a_source: Any, tmp_path: Path
) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "files" / "audiences" / "e1"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", WRITE_FROM_A_PIPE, str(tmp_path / "files"), str(pipe)]
    with subprocess.Popen(command) as child, pipe.open("wb", buffering=0) as half:
        half.write(CONTENT[:9])
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=20)
    assert [path.name.startswith(".incoming-") for path in folder.iterdir()] == [True]
    stored = files.write_once("audiences/e1/1.csv", a_source(CONTENT))
    assert files.read(stored, 0, len(CONTENT)) == CONTENT
    files.delete("audiences/e1")
    assert not folder.exists()
