"""Device tokens that were taken for dead: counted, and sent to again, over HTTP and on a state folder."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functions.domain.audience.dead_tokens import DeadTokens, bury
from functions.domain.audience.partition import PARTITIONS, partition_of
from functions.domain.ids import user_key
from local.cli.main import cli
from tests.factories import user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import EARLIER, Lab

LIFT = "/api/devices/lift-graves"


@pytest.fixture(autouse=True)
def graves(lab: Lab) -> None:
    """Bury the tokens of users 1 to 3."""
    for number in (1, 2, 3):
        change = partial(bury, tokens=[f"token-{user(number)}"], at=EARLIER)
        lab.ports.devices.bury(partition_of(user_key(user(number))), change)


def dead(lab: Lab) -> int:
    return len(DeadTokens(lab.ports.devices.graves(range(PARTITIONS)).values(), EARLIER))


@pytest.mark.parametrize(
    ("which", "tokens"),
    [
        ({"userId": user(1)}, 1),
        ({"userId": user(4)}, 0),
        ({"token": f"token-{user(2)}"}, 1),
        ({"token": "unknown"}, 0),
        ({"buriedSince": "2026-03-02T00:00:00Z"}, 3),
        ({"buriedSince": "2026-03-03T00:00:00Z"}, 0),
    ],
)
def test_graves_are_counted_and_then_lifted(lab: Lab, api: ApiClient, which: dict[str, str], tokens: int) -> None:
    assert api.data("POST", LIFT, json=which) == {"tokens": tokens, "dryRun": True}
    assert dead(lab) == 3
    assert api.data("POST", LIFT, json={**which, "dryRun": False}) == {"tokens": tokens, "dryRun": False}
    assert dead(lab) == 3 - tokens
    entries = lab.ports.audit.of_recipe("devices.graves", most=9)
    assert [entry.after and entry.after["graves"] for entry in entries] == ([tokens] if tokens else [])
    assert not any(f"token-{user(2)}" in json.dumps(entry.after) for entry in entries)


@pytest.mark.parametrize(
    ("which", "field"),
    [
        ({}, "userId"),
        ({"userId": user(1), "token": "a"}, "userId"),
        ({"userId": "jo"}, "userId"),
        ({"buriedSince": "yesterday"}, "buriedSince"),
    ],
)
def test_what_names_no_graves_is_refused(api: ApiClient, which: dict[str, str], field: str) -> None:
    answer = api("POST", LIFT, json=which)
    assert (answer.status_code, json.loads(answer.text)["errors"][0]["field"]) == (422, field)


def lift(lab: Lab, *options: Any) -> Any:
    given = ["devices", "lift", "--state", str(lab.state), "--data", str(lab.data), *options]
    return CliRunner().invoke(cli, given, catch_exceptions=True)


def test_the_command_counts_and_asks_before_it_lifts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    counted = lift(lab, "--user", user(1), "--dry-run", "--json")
    assert (json.loads(counted.stdout), dead(lab)) == ({"tokens": 1, "dryRun": True}, 3)
    assert "say --yes" in str(lift(lab, "--user", user(1)).exception)
    assert dead(lab) == 3
    assert "1 device tokens will be sent to again" in lift(lab, "--user", user(1), "--yes").stdout
    assert json.loads(lift(lab, "--since", "2026-03-02T00:00:00Z", "--yes", "--json").stdout)["tokens"] == 2
    assert dead(lab) == 0
    assert [entry.deed.by for entry in lab.ports.audit.of_recipe("devices.graves", most=9)] == ["cli", "cli"]
