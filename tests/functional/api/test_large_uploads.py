"""A file of 100 MB at the deployed form of the function: a process that serves `api` alone."""

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.runtime.emulators import free_port, running
from local.runtime.serving import SOURCE
from tests.factories import user

pytestmark = pytest.mark.slow

SIZE = 100_000_000
LIMIT_MIB = 256
HEAD, TAIL = "--part\r\nContent-Disposition: form-data; name=", "--part--\r\n"


@pytest.fixture
def api_process(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address of a process that serves the API, and its id."""
    port = free_port()
    settings = [f"STATE_DIR={tmp_path / 'state'}", f"USER_DATA_DIR={tmp_path}", f"PYTHONPATH={SOURCE.parent}"]
    function = ["-m", "functions_framework", "--source", str(SOURCE), "--target", "api", "--port", str(port)]
    with running(["env", *settings, sys.executable, *function], tmp_path / "log", f"http://127.0.0.1:{port}/") as pid:
        yield f"http://127.0.0.1:{port}/api/send-push", pid


def send(url: str, path: Path) -> int:
    """Upload a file as a browser does, and give the status."""
    with path.open("rb") as content:
        request = urllib.request.Request(url, data=content, method="POST")
        request.add_header("Content-Type", "multipart/form-data; boundary=part")
        request.add_header("Content-Length", str(path.stat().st_size))
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


def a_form(path: Path, rows: Iterator[str], **fields: Any) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        for name, value in fields.items():
            file.write(f'{HEAD}"{name}"\r\n\r\n{value}\r\n')
        file.write(f'{HEAD}"file"; filename="users.csv"\r\nContent-Type: text/csv\r\n\r\nuser_id,name\n')
        written = 0
        while written < SIZE:
            written += file.write(next(rows))
        file.write(f"\r\n{TAIL}")
    return path


def peak_mib(pid: int) -> float:
    """The most memory that a process or one of its children has had."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    texts = [Path(f"/proc/{each}/status").read_text() for each in [str(pid), *found]]
    return max(int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) for text in texts) / 1024


@pytest.mark.long
@pytest.mark.parametrize(
    ("row_bytes", "status"),
    [
        pytest.param(1_100, 202, id="of 90,000 users"),
        pytest.param(70, 422, marks=pytest.mark.long, id="of more users than may be"),
    ],
)
def test_a_file_of_100_mb_is_handled_or_refused_in_little_memory(
    api_process: tuple[str, int], tmp_path: Path, row_bytes: int, status: int
) -> None:
    url, pid = api_process
    name = "x" * (row_bytes - 38)
    rows = (f"{user(number)},{name}\n" for number in range(10**7))
    fields = {"title": "Hi", "body": "There", "layerId": 1, "maxAudienceSize": 100_000}
    assert send(url, a_form(tmp_path / "form", rows, **fields)) == status
    assert peak_mib(pid) < LIMIT_MIB
