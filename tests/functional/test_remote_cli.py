"""The command line as a client of a running system."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.audience.dead_tokens import bury
from functions.domain.audience.partition import partition_of
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.ids import user_key
from functions.domain.recipe.timeline import Phase
from functions.usecases.cadence.track import track_notification
from functions.usecases.timeline.journal import breach
from local.cli.main import main
from local.runtime.served import Served
from local.runtime.serving import http_server
from tests.factories import old_push, recipe, user
from tests.functional.conftest import _APPS, EARLIER, SEND_AT, Lab

pytestmark = pytest.mark.slow

Told = tuple[int, str, str]
Tminus = Callable[..., Told]


@pytest.fixture
def served(lab: Lab) -> Iterator[str]:
    """The address of a laboratory that runs."""
    with Served(http_server(_APPS(), lab.ports, "127.0.0.1", 0)) as running:
        yield running.url


@pytest.fixture
def tminus(served: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tminus:
    """Runs a command against the laboratory; returns its status, and what it printed."""
    monkeypatch.setenv("COLUMNS", "220")

    def call(*args: object, url: str = served) -> Told:
        monkeypatch.setattr("sys.argv", ["tminus", "--url", url, *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return call


def as_json(told: Told) -> Any:
    assert told[0] == 0, told[2]
    return json.loads(told[1])


def test_test_people_are_added_and_removed(tminus: Tminus) -> None:
    added = as_json(tminus("test-people", "add", "Ana", user(1), "--email", "ana@kicks.example", "--json"))
    assert added == {"people": [{"name": "Ana", "userId": user(1), "email": "ana@kicks.example"}]}
    assert "Ana" in tminus("test-people", "list")[1]
    assert "say --yes" in tminus("test-people", "remove", user(1))[2]
    assert as_json(tminus("test-people", "remove", user(1), "--yes", "--json")) == {"people": []}


@pytest.mark.long
def test_recipes_are_saved_listed_shown_and_removed(lab: Lab, tminus: Tminus, tmp_path: Path) -> None:
    file = tmp_path / "sale.json"
    file.write_text(json.dumps(recipe(id="sale", name="Sale [bold]")))
    assert "say --yes" in tminus("recipes", "save", file)[2], "an active recipe sends: a person has to agree"
    assert lab.ports.recipes.get("sale") is None
    assert "recipe sale is created" in tminus("recipes", "save", file, "--yes")[1]
    assert "recipe sale is changed" in tminus("recipes", "save", file, "--yes")[1]
    listed = tminus("recipes", "list")[1]
    assert "Sale [bold]" in listed
    assert [each["id"] for each in as_json(tminus("recipes", "list", "--json"))] == ["sale", "welcome"]
    assert as_json(tminus("recipes", "show", "sale"))["name"] == "Sale [bold]"
    assert tminus("recipes", "remove", "sale", "--yes")[0] == 0
    assert tminus("recipes", "show", "sale")[::2] == (2, "tminus: there is no recipe 'sale'\n")


def test_refusals_are_one_line_for_each_field(tminus: Tminus, tmp_path: Path) -> None:
    status, _, err = tminus("send", "--title", "[[vra:x]]", "--body", "b", "--layer", 1, "--user", user(1), "--yes")
    assert status == 2
    assert err.startswith("tminus: title: malformed variable near")
    (tmp_path / "content.json").write_text('{"ios": {"subtitel": "x"}}', encoding="utf-8")
    push = ("send", "--title", "x", "--body", "b", "--layer", 1, "--user", user(1), "--yes")
    status, _, err = tminus(*push, "--content", tmp_path / "content.json")
    assert (status, "content.ios.subtitel: is not a field of a recipe: did you mean 'subtitle'?" in err) == (2, True)
    status, _, err = tminus("cadence", "set", "layer_3_cooldown", "--hours", 0, "--count", 0, "--yes")
    assert [line.split(": ")[1] for line in err.splitlines()] == ["rules[0].hours", "rules[0].count"]


@pytest.mark.long
def test_executions_are_listed_shown_and_exported(lab: Lab, tminus: Tminus, tmp_path: Path) -> None:
    lab.run_to_the_end()
    assert lab.id in tminus("executions", "list")[1]
    shown = tminus("executions", "show", lab.id)[1]
    assert "completed; phase: none" in shown
    assert as_json(tminus("executions", "show", lab.id, "--json"))["totals"]["sent"] == 9
    assert "Live send started" in tminus("executions", "log", lab.id)[1]
    assert tminus("executions", "export", lab.id, "--out", tmp_path / "out.csv")[0] == 0
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 10
    assert tminus("executions", "show", "nonsense")[0] == 2
    assert "has no execution 'welcome_x'" in tminus("executions", "show", "welcome_x")[2]


@pytest.mark.long
def test_an_execution_is_cancelled_and_a_recipe_paused_and_resumed(lab: Lab, tminus: Tminus) -> None:
    lab.run_to(SEND_AT.replace(minute=10))
    assert lab.id in tminus("control", "show")[1]
    assert tminus("control", "cancel", lab.id, "--reason", "typo")[0] == 0
    assert lab.execution().state == "cancelled"
    assert tminus("control", "pause", "welcome")[0] == 0
    assert "say --yes" in tminus("control", "resume", "welcome")[2], "it sends: somebody has to agree"
    assert (lab.ports.recipes.get("welcome") or {})["status"] == "paused"
    assert tminus("control", "resume", "welcome", "--yes")[0] == 0
    assert (lab.ports.recipes.get("welcome") or {})["status"] == "active"
    assert tminus("control", "stop")[0] == 2


def test_a_send_is_skipped_and_restored(lab: Lab, tminus: Tminus) -> None:
    at = "2026-03-02T18:30:00Z"
    assert tminus("control", "skip", "welcome", at)[0] == 0
    assert (lab.ports.recipes.get("welcome") or {})["schedule"]["skip"] == [at]
    assert "say --yes" in tminus("control", "restore", "welcome", at)[2], "it sends: somebody has to agree"
    assert tminus("control", "restore", "welcome", at, "--yes")[0] == 0
    assert "skip" not in (lab.ports.recipes.get("welcome") or {})["schedule"]
    assert "has no send at 2026-03-02 18:31 UTC" in tminus("control", "skip", "welcome", "2026-03-02T18:31:00Z")[2]
    assert "sendAt: must be an instant with its zone" in tminus("control", "skip", "welcome", "Friday")[2]


def test_a_send_is_moved(lab: Lab, tminus: Tminus) -> None:
    order = ("control", "move", "welcome", "2026-03-02T18:30:00Z", "2026-03-02T20:00:00Z")
    assert "say --yes" in tminus(*order)[2], "it sends: somebody has to agree"
    assert "sends once at 2026-03-02 20:00 UTC" in tminus(*order, "--yes")[1]
    assert (lab.ports.recipes.get("welcome-moved-20260302T1830Z") or {})["status"] == "active"


def test_a_recipe_is_executed_now_once_under_a_key(lab: Lab, tminus: Tminus) -> None:
    assert tminus("control", "execute-now", "welcome")[0] == 2
    for _ in range(2):
        assert tminus("control", "execute-now", "welcome", "--yes", "--key", "k")[0] == 0
    [execution] = lab.ports.executions.unfinished()
    assert execution.kind == "manual"


@pytest.mark.long
def test_a_push_is_sent_once_after_a_person_has_seen_how_many_users_it_reaches(
    lab: Lab, tminus: Tminus, tmp_path: Path
) -> None:
    file = tmp_path / "users.csv"
    file.write_text(f"user_id,name\n{user(1)},Zoë\n{user(2)},Jo\n", encoding="utf-8")
    push = ("send", "--title", "Hi [[var:name]]", "--body", "b", "--layer", 3, "--file", file)
    status, _, err = tminus(*push)
    assert status == 2, "without a yes"
    assert "2 users: 2 would get it" in err
    assert "for example: 'Hi Zoë'" in err or "for example: 'Hi Jo'" in err
    assert as_json(tminus(*push, "--dry-run", "--json"))["totals"]["messages"] == 2
    assert lab.ports.executions.unfinished() == []
    for _ in range(2):
        assert "follow it at /api/automation/one-off" in tminus(*push, "--yes", "--key", "k")[1]
    lab.run_to(SEND_AT.replace(hour=17))
    assert len(lab.outbox()) == 2
    assert tminus("send", "--title", "x", "--body", "b", "--layer", 3)[0] == 2


class Terminal(io.StringIO):
    """Somebody at a terminal, who types this."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "status", "sent"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
def test_who_sits_at_a_terminal_is_asked(
    lab: Lab, tminus: Tminus, monkeypatch: pytest.MonkeyPatch, typed: str, status: int, sent: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert tminus("send", "--title", "x", "--body", "b", "--layer", 3, "--user", user(1))[0] == status
    assert len(lab.ports.executions.unfinished()) == sent


def test_a_dry_run_that_reaches_no_user_ends_with_status_2(tminus: Tminus) -> None:
    texts = ("send", "--title", "Hi", "--body", "There", "--layer", "1", "--dry-run")
    assert tminus(*texts, "--user", user(1))[0] == 0
    status, out, _ = tminus(*texts, "--user", user(99))
    assert (status, "critical: no user would get anything" in out) == (2, True)


def test_text_is_sent_literally_where_the_command_says_so(tminus: Tminus) -> None:
    send = ("send", "--title", "Type {{name}}", "--body", "There", "--layer", "1", "--user", user(1), "--yes")
    status, _, err = tminus(*send)
    assert (status, "looks like a variable of another product" in err) == (2, True)
    assert tminus(*send, "--literal")[0] == 0


@pytest.mark.long
def test_cadence_is_seen_and_changed(lab: Lab, tminus: Tminus, tmp_path: Path) -> None:
    assert "layer_3_cooldown" in tminus("cadence", "rules")[1]
    assert "Behaviour-responsive" in tminus("cadence", "layers")[1]
    changed = as_json(tminus("cadence", "set", "layer_3_cooldown", "--hours", 24, "--off", "--yes", "--json"))
    assert (changed["rules"][0]["hours"], changed["rules"][0]["active"]) == (24, False)
    track_notification(lab.ports, {"userId": user(1), "layerId": 5, "sentAt": f"{EARLIER:%Y-%m-%dT%H:%M:%SZ}"})
    assert "layer_5_cooldown: 1" in tminus("cadence", "filter", 5, user(0), user(1))[1]
    assert "tracked" in tminus("cadence", "user", user(1))[1]
    file = tmp_path / "history.csv"
    file.write_text(f"user_id,layer,sent_at\n{user(2)},2,2026-03-01T12:00:00Z\njo,2,2026-03-01T12:00:00Z\n")
    status, out, err = tminus("cadence", "import", file)
    assert (status, "2 rows: 1 imported" in out) == (2, True)
    assert "line 3: user_id" in err
    assert as_json(tminus("cadence", "user", user(2), "--json"))["notifications"][0]["source"] == "import"


def test_a_folder_of_the_old_system_is_taken_over(lab: Lab, tminus: Tminus, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    nameless = {name: value for name, value in recipe().items() if name != "id"}
    (folder / "daily.json").write_text(json.dumps(nameless))
    (folder / "list.json").write_text(json.dumps([old_push(status="sent"), 7]))
    (folder / "broken.json").write_text("{")
    status, out, err = tminus("migrate", folder)
    assert (status, lab.ports.recipes.get("daily")) == (2, None)
    assert "4 documents: 2 created, 0 unchanged, 2 refused; nothing was changed" in out
    assert [line.split(": ")[0] for line in err.splitlines()] == ["broken.json", "list.json[1]"]
    assert "daily.json: created: daily is active" in tminus("migrate", folder, "--apply")[1]
    assert "list.json[0]: unchanged: push-p1 is completed" in tminus("migrate", folder, "--apply")[1]


def test_a_system_that_is_not_there_or_is_none_is_named(tminus: Tminus, served: str) -> None:
    assert tminus("recipes", "list", url="http://127.0.0.1:9")[::2][0] == 2
    assert "is --url right?" in tminus("recipes", "list", url=f"{served}/x")[2]
    assert tminus("recipes", "list", url="")[2] == (
        "tminus: say where the system runs: tminus --url http://127.0.0.1:8080 ..., or TMINUS_URL\n"
    )
    assert tminus("recipes", "list", url="nonsense")[0] == 2


def test_a_push_without_an_answer_can_be_sent_again_under_its_key(tminus: Tminus) -> None:
    push = ("send", "--title", "x", "--body", "b", "--layer", 3, "--user", user(1), "--yes", "--key", "k7")
    assert "repeat with --key k7, and it is sent once" in tminus(*push, url="http://127.0.0.1:9")[2]


@pytest.mark.long
def test_graves_of_a_running_system_are_lifted(lab: Lab, tminus: Tminus) -> None:
    partition = partition_of(user_key(user(1)))
    lab.ports.devices.bury(partition, lambda graves: bury(graves, [f"token-{user(1)}"], EARLIER))
    assert as_json(tminus("devices", "lift", "--user", user(1), "--dry-run", "--json")) == {
        "tokens": 1,
        "dryRun": True,
    }
    assert "1 device tokens will be sent to again" in tminus("devices", "lift", "--user", user(1), "--yes")[1]
    assert lab.ports.devices.graves(range(partition, partition + 1)) == {partition: b""}


@pytest.mark.parametrize("forced", ["", "1"])
def test_a_table_in_a_pipe_breaks_no_line(
    forced: str, lab: Lab, tminus: Tminus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"COLUMNS": "80", "FORCE_COLOR": forced, "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    long = "sale-" + "x" * 90
    lab.save(recipe(id=long, name="Sale " * 10))
    assert any(long in line for line in tminus("recipes", "list")[1].splitlines())


def test_violations_are_resolved_with_a_note_and_reopened_and_the_log_says_so(lab: Lab, tminus: Tminus) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    finding = Finding(type=ViolationType.NOT_REACHED, severity=Severity.WARNING, message="2 users", action="none")
    breach(lab.ports, lab.execution(), Phase.LIVE_EXECUTION, finding)
    [listed] = as_json(tminus("violations", "list", "--json"))
    assert (listed["executionId"], listed["message"]) == (lab.id, "2 users")
    assert "2 users" in tminus("violations", "list", "--recipe", "welcome")[1]
    resolved = tminus("violations", "resolve", lab.id, listed["id"], "--note", "a slow night")
    assert f"violation {listed['id']} is resolved" in resolved[1]
    assert as_json(tminus("violations", "list", "--json")) == []
    assert "is open again" in tminus("violations", "reopen", lab.id, listed["id"])[1]
    assert [each["id"] for each in as_json(tminus("violations", "list", "--json"))] == [listed["id"]]
    done = as_json(tminus("audit", "list", "--of", "welcome", "--limit", 2, "--json"))
    assert [(each["action"], each["after"].get("note", "")) for each in done] == [
        ("reopened", ""),
        ("resolved", "a slow night"),
    ]
    table = tminus("audit", "list", "--action", "resolved")[1]
    assert "a slow night" in table
    assert "reopened" not in table
    assert "more: --cursor" in tminus("audit", "list", "--limit", 1)[1]
    assert tminus("violations", "resolve", lab.id, "x")[0] == 2
