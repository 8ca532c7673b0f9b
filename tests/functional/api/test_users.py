"""One user is exported and erased, and the audit log verified: over HTTP by admins, and by the command."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from local.cli.main import cli
from local.runtime.persistent_clock import CLOCK, PersistentClock
from tests.factories import TESTER, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab


@pytest.mark.long
def test_a_user_is_exported_and_erased_over_http(lab: Lab, api: ApiClient) -> None:
    lab.run_to_the_end()
    held = api.data("POST", "/api/users/export", json={"userId": user(1)})
    assert (held["userId"], len(held["outbox"])) == (user(1), 1)
    assert api.data("POST", "/api/users/erase", json={"userId": user(1)}) == held
    erased = api.data("POST", "/api/users/erase", json={"userId": user(1), "dryRun": False})
    assert (erased["messages"], erased["settings"]) == (1, [])
    assert api.data("POST", "/api/users/export", json={"userId": user(1)})["outbox"] == []
    assert api.data("GET", "/api/audit/verification")["sound"]


@pytest.mark.slow
def test_an_execution_under_way_with_the_user_refuses_the_erasure(lab: Lab, api: ApiClient) -> None:
    lab.run_to(lab.clock.now().replace(hour=18, minute=10))
    answer = api("POST", "/api/users/erase", json={"userId": TESTER, "dryRun": False})
    assert answer.status_code == 409


@pytest.fixture
def state(lab: Lab) -> Path:
    lab.run_to_the_end()
    lab.close()
    return lab.state


@pytest.mark.slow
def test_the_command_exports_and_erases_a_user_of_a_state_folder(lab: Lab, state: Path) -> None:
    where = ["--state", str(state), "--data", str(lab.data)]
    found = CliRunner().invoke(cli, ["users", "export", user(1), "--json", *where])
    assert (found.exit_code, len(json.loads(found.stdout)["outbox"])) == (0, 1)
    asked = CliRunner().invoke(cli, ["users", "erase", user(1), *where])
    assert "say --yes" in str(asked.exception)
    counted = CliRunner().invoke(cli, ["users", "erase", user(1), "--dry-run", "--json", *where])
    assert json.loads(counted.stdout)["outbox"] == 1
    erased = CliRunner().invoke(cli, ["users", "erase", user(1), "--yes", "--json", *where])
    assert json.loads(erased.stdout)["messages"] == 1
    assert user(1) not in (state / "outbox.jsonl").read_text()


@pytest.mark.slow
def test_an_export_of_a_state_on_a_fast_clock_has_its_latest_pushes(lab: Lab, state: Path) -> None:
    PersistentClock(state / CLOCK).keep(lab.clock.now())
    where = ["--state", str(state), "--data", str(lab.data)]
    found = CliRunner().invoke(cli, ["users", "export", user(1), "--json", *where])
    assert [each["outcome"] for each in json.loads(found.stdout)["notifications"]] == ["sent"]
    history = CliRunner().invoke(cli, ["cadence", "user", user(1), "--json", "--state", str(state)])
    assert [each["outcome"] for each in json.loads(history.stdout)] == ["sent"]


@pytest.mark.slow
def test_the_command_verifies_the_log_of_a_state_folder(lab: Lab, state: Path) -> None:
    sound = CliRunner().invoke(cli, ["audit", "verify", "--json", "--state", str(state)])
    assert (sound.exit_code, json.loads(sound.stdout)["problems"]) == (0, [])
    lab.open()
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("DROP TRIGGER audit_changed")
        connection.execute("UPDATE audit SET by = 'somebody else' WHERE recipe_id = 'welcome' AND number = 1")
    lab.close()
    broken = CliRunner().invoke(cli, ["audit", "verify", "--state", str(state)])
    assert broken.exit_code == 1
    assert "entry 1 of welcome was changed: its hash differs" in broken.output


@pytest.mark.slow
def test_an_instant_in_another_form_does_not_keep_the_verification_busy_for_ever(lab: Lab, state: Path) -> None:
    lab.open()
    assert lab.system is not None
    with lab.system.database.transaction() as connection:
        connection.execute("DROP TRIGGER audit_changed")
        changed = "UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE recipe_id = 'welcome' AND number = 1"
        connection.execute(changed)
    lab.close()
    broken = CliRunner().invoke(cli, ["audit", "verify", "--state", str(state)])
    assert (broken.exit_code, "entry 1 of welcome was changed" in broken.output) == (1, True)
