"""A deployment without a setting: every function says so in its own form, and names no value."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from functions import bootstrap, logs
from local.runtime.functions import load_functions
from local.runtime.serving import CALLED_BY_SERVICES, FUNCTIONS, SOURCE

pytestmark = pytest.mark.usefixtures("incomplete")


@pytest.fixture
def incomplete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Set what the deployment runs on, and one thing wrong, with a private value."""
    monkeypatch.setenv("DEFAULT_TEST_USER_IDS", "ana@kicks.example")
    bootstrap._process_ports.cache_clear()
    threshold = gc.get_threshold()
    with logs.written_to(tmp_path / "log"):
        yield
    bootstrap._process_ports.cache_clear()
    gc.set_threshold(*threshold)
    gc.unfreeze()


def ask(function: str, path: str = "/", method: str = "POST", **request: Any) -> TestResponse:
    app = load_functions((function,), SOURCE)[function]
    return Client(app).open(path, method=method, buffered=True, **request)


def check(response: TestResponse) -> None:
    assert response.status_code == 503, response.text
    assert "DEFAULT_TEST_USER_IDS is missing or wrong" in response.text
    assert "ana@kicks.example" not in response.text


@pytest.mark.parametrize("function", CALLED_BY_SERVICES)
def test_a_task_or_a_schedule_is_asked_to_come_again(function: str) -> None:
    response = ask(function, json={"executionId": "x"}, headers={"X-CloudTasks-TaskName": "x"})
    check(response)
    assert (response.json or {})["result"] == "again"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_api_answers_in_its_envelope(method: str) -> None:
    response = ask("api", "/api/automation/recipes", method)
    check(response)
    envelope = response.json or {}
    told = {"success": False, "code": "misconfigured", "message": envelope["message"], "errors": []}
    assert envelope == told


@pytest.mark.parametrize("path", ["/", "/recipes", "/nothing"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_console_shows_a_page(path: str, method: str) -> None:
    response = ask("console", path, method)
    check(response)
    assert "Tminus is not available" in response.text
    assert response.content_type.startswith("text/html")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_cancel_link_says_that_nothing_was_cancelled(method: str) -> None:
    response = ask("console", "/cancel/some.token", method)
    check(response)
    assert "Nothing was cancelled" in response.text


def test_every_function_is_among_these() -> None:
    assert {*CALLED_BY_SERVICES, "api", "console"} == set(FUNCTIONS)
