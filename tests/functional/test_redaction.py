"""What a person or a store got wrong is named in logs and alerts by its place, and never shown: it may be private."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions import logs
from functions.domain.errors import BadFields, FieldCode, FieldError, Misconfigured
from functions.settings.read import read_settings
from tests.factories import recipe
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import START_AT, Lab
from tests.functional.console.visitor import Visitor
from tests.functional.test_callers import ENVIRONMENT

SECRET = "ana.private@kicks.example"


def test_an_answer_shows_a_wrong_value_and_the_log_does_not(lab: Lab, tmp_path: Path) -> None:
    api = ApiClient(lambda: lab.ports)
    wrong: list[tuple[str, str, Any]] = [
        ("PUT", "/api/automation/recipes/welcome", {"schedule": {"timezone": SECRET}}),
        ("PUT", "/api/automation/recipes/welcome", {"settings": {"testUserIds": [SECRET]}}),
        ("POST", "/api/users/notifications", {"userId": SECRET}),
        ("POST", "/api/send-push", {"title": "a", "body": "b", "layerId": 1, "userIds": [SECRET]}),
        ("POST", "/api/query-audience", {"customQuery": f"SELECT '{SECRET}' AS \"{SECRET}\" FROM users"}),
    ]
    with logs.written_to(tmp_path / "log"):
        answers = [api(method, path, json=body) for method, path, body in wrong]
        Visitor(lambda: lab.ports).send("/people", "/people", {"user": SECRET}, status=422)
    assert [answer.status_code for answer in answers] == [422] * len(wrong)
    assert all(SECRET in answer.text for answer in answers[:4]), "the caller sees what is wrong"
    written = (tmp_path / "log").read_text()
    assert "ana.private" not in written
    lines = [json.loads(line)["message"] for line in written.splitlines()]
    assert [line for line in lines if line.startswith("invalid_fields: schedule.timezone: ")]
    assert "invalid_fields: settings.testUserIds[0]: is not a valid user id" in lines


def test_an_alert_about_a_recipe_that_was_broken_by_hand_shows_no_value(lab: Lab, tmp_path: Path) -> None:
    broken = recipe(schedule__timezone=SECRET)
    lab.ports.recipes.change("welcome", lambda _: broken)
    with logs.written_to(tmp_path / "log"):
        lab.clock.advance_to(START_AT)
        lab.launch()
        lab.runtime.call("reconcile", {"X-CloudScheduler": "true"}, {})
    alerts = (lab.state / "alerts.jsonl").read_text()
    assert "schedule.timezone" in alerts
    assert "ana.private" not in alerts + (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "variable",
    [
        "PUSH_SENDER",
        "USER_DATA_TIMEOUT_SECONDS",
        "FCM_CA_FILE",
        "API_CALLERS",
        "DEFAULT_TEST_USER_IDS",
        "TASK_CALLER",
    ],
)
def test_a_wrong_setting_is_described_and_not_shown(variable: str) -> None:
    value = "-----BEGIN PRIVATE KEY----- hunter2"
    with pytest.raises(Misconfigured) as refused:
        read_settings({**ENVIRONMENT, variable: value})
    assert refused.value.setting == variable
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("reason", "redacted"),
    [
        ('must be a text, got "hunter2"', "must be a text"),
        ('"hunter2" is not a column', "... is not a column"),
        ("'hunter2, \\'x\\'' is not known", "... is not known"),
        ("line 4: has 3 fields, the header names 2 columns", "line 4: has 3 fields, the header names 2 columns"),
    ],
)
def test_a_reason_keeps_its_words_without_the_value(reason: str, redacted: str) -> None:
    assert FieldError("a.b", reason).redacted == f"a.b: {redacted}"
    assert BadFields([FieldError("a", reason), FieldError("b", "x")]).redacted == f"a: {redacted}; b: x"
    assert FieldError("a", '"hunter2"', FieldCode.BAD_USER_ID).redacted == "a: is not a valid user id"
