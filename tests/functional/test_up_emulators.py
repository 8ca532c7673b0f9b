"""`tminus up --emulators`: a project that other programs can join, and nothing left of it afterwards."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import httpx
import pytest

from local.sample import generate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 5, 4, tzinfo=UTC)
PATIENCE_SECONDS = 120


def test_it_tells_how_to_join_and_leaves_nothing_running(emulators: Mapping[str, str], tmp_path: Path) -> None:
    del emulators  # where one is missing, this test is skipped like the others
    generate(tmp_path / "data", users=100, seed=1, at=AT)
    command = [sys.executable, "-c", "from local.cli.start import main; main()", "up", "--emulators", "--port", "0"]
    command += ["--data", str(tmp_path / "data"), "--state", str(tmp_path / "state")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        told = read_variables(process.stdout)
        overview = read_json(told["FUNCTION_URL"].replace("{function}", ""))
        assert {job["name"] for job in overview["schedules"]} >= {"reconcile-tminus", "tminus-sneaker-reactivation"}
        recipes = f"v1/projects/{told['GOOGLE_CLOUD_PROJECT']}/databases/(default)/documents/recipes"
        api = told["FUNCTION_URL"].replace("{function}", "api")
        assert read_json(f"{api}/automation/recipes")["data"], "nothing issues tokens here, so none is asked for"
        visit_the_console(told["FUNCTION_URL"].replace("{function}", "console"))
        assert len(read_json(f"http://{told['FIRESTORE_EMULATOR_HOST']}/{recipes}")["documents"]) == 2
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        status = process.wait(timeout=PATIENCE_SECONDS)
    assert status == 0, (tmp_path / "log").read_text()
    for name in ("FIRESTORE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "CLOUD_TASKS_EMULATOR_HOST"):
        assert not listens(told[name]), f"{name} still listens"


def visit_the_console(url: str) -> None:
    """Choose a user on the page of the proxy; a viewer sees the send, and an operator may stop it."""
    for user, may_cancel in (("viewer@example.com", False), ("operator@example.com", True)):
        with httpx.Client(follow_redirects=True, timeout=PATIENCE_SECONDS) as browser:
            chooser = browser.get(url)
            assert chooser.url.path == "/console/_gcp_iap/choose"
            page = browser.post(chooser.url, data={"user": user, "back": "/console/"})
            assert page.url.path == "/console/"
            assert user in page.text
            found = re.search(r'href="/console(/executions/[^"/]+)/confirm"', page.text)
            assert bool(found) is may_cancel
            browser.get(f"{url}/_gcp_iap/clear_login_cookie")
            assert browser.get(url).url.path == "/console/_gcp_iap/choose"


def read_variables(out: IO[str]) -> dict[str, str]:
    """Read the lines that export variables, up to the last one."""
    told: dict[str, str] = {}
    while "OIDC_CERTS_URL" not in told:
        line = out.readline()
        assert line, "it ended before it told everything"
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            told[name] = value.strip("'")
    return told


def read_json(url: str) -> dict[str, list[dict[str, str]]]:
    with urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        document: dict[str, list[dict[str, str]]] = json.loads(answer.read())
    return document


def listens(address: str) -> bool:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == os.EX_OK
