"""Layers and cadence rules of a team's own workspace, from the recipe to the report, across its releases."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.workspace import Workspace
from functions.domain.errors import BadFields, BadRecipe
from functions.domain.execution.execution import Execution, State
from functions.usecases.by_hand.send_once import OneOff, send_once, try_once
from functions.usecases.cadence.change_rules import change_rules
from functions.usecases.cadence.filter_audience import filter_audience
from functions.usecases.cadence.import_history import import_history
from functions.usecases.cadence.rules_in_force import ignored_rules, rules_in_force
from functions.usecases.cadence.track import track_notification
from functions.usecases.recipes.presets import create_from_template
from functions.usecases.reports.history import notifications_of
from functions.usecases.reports.receipt import export
from tests.audience_jobs.fitness import fitness
from tests.factories import push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import EARLIER, SEND_AT, Lab
from tests.functional.console.visitor import Visitor

MakeLab = Callable[..., Lab]
DAY = timedelta(days=1)
SECOND = f"welcome_{SEND_AT + DAY:%Y%m%dT%H%M%SZ}"
LAYERS = '[layers]\n1 = { name = "Alarms", exempt = true }\n3 = "Coaching"\n9 = "Offers"\n'
WEEKLY = "[cadence.weekly]\nlayers = [3, 9]\nhours = 168\n"
DAILY = "[cadence.daily]\nlayers = [3]\nhours = 30\ncount = 9\n"
CAMPAIGN = recipe(pushSequence=[push(1, layerId=3)])
YESTERDAY = f"{EARLIER - DAY:%Y-%m-%dT%H:%M:%SZ}"


def gym(folder: Path, settings: str = LAYERS + DAILY + WEEKLY) -> Workspace:
    """A workspace with these layers and rules."""
    made = fitness(folder)
    (folder / "tminus.toml").write_text(f'name = "gym"\n{settings}', encoding="utf-8")
    return made


@pytest.fixture
def make_gym(make_lab: MakeLab, tmp_path: Path) -> MakeLab:
    """Make laboratories, each on a workspace of its own."""

    def make(settings: str = LAYERS + DAILY + WEEKLY) -> Lab:
        lab = make_lab()
        release(lab, settings, tmp_path)
        return lab

    return make


@pytest.fixture
def lab(make_gym: MakeLab) -> Lab:
    return make_gym()


def release(lab: Lab, settings: str, tmp_path: Path) -> None:
    """Deploy a release with another workspace."""
    number = sum(1 for _ in tmp_path.glob("gym-*"))
    workspace = gym(tmp_path / f"gym-{number}", settings)
    workspace.check()
    lab.wrap = lambda ports: replace(ports, workspace=workspace)
    lab.restart()


def excluded(lab: Lab, execution: str = "") -> dict[str, int]:
    numbers: dict[str, int] = lab.report(execution)["totals"]["excluded"]
    return numbers


def reasons_in_receipt(lab: Lab, execution: str) -> set[str]:
    found = lab.ports.executions.get(execution)
    assert found is not None
    lines = b"".join(export(lab.ports, found)).decode().splitlines()[1:]
    return {line.rpartition(",")[2] for line in lines}


@pytest.mark.slow
def test_an_execution_keeps_what_the_bytes_of_its_rows_mean(lab: Lab) -> None:
    lab.save(CAMPAIGN)
    lab.run_to_the_end()
    assert lab.execution().rule_bytes == {0xE0: "cadence:daily", 0xE1: "cadence:weekly"}
    assert lab.execution().document()["ruleBytes"] == {"224": "cadence:daily", "225": "cadence:weekly"}
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert excluded(lab, SECOND) == {"cadence:weekly": 4}
    assert lab.violations(SECOND) == [], "the team wants it"
    shards = [shard for shard in lab.ports.shards.of(SECOND) if not shard.test]
    assert [shard.outcomes for shard in shards] == [bytes([0xE1]) * 4]
    assert reasons_in_receipt(lab, SECOND) == {"cadence:weekly"}
    got = notifications_of(lab.ports, user(1), until=lab.clock.now(), days=3).notifications
    assert [each.reason for each in got] == ["cadence:weekly", ""]
    lab.assert_contract()


@pytest.mark.long
def test_the_marketplace_stores_no_list(make_lab: MakeLab) -> None:
    lab = make_lab()
    lab.save(CAMPAIGN)
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert "ruleBytes" not in lab.execution(SECOND).document()
    assert excluded(lab, SECOND) == {"layer_3_cooldown": 4}
    assert [shard.outcomes for shard in lab.ports.shards.of(SECOND) if not shard.test] == [b"hhhh"]


@pytest.mark.long
@pytest.mark.parametrize(
    "later",
    [
        LAYERS + WEEKLY.replace("weekly", "per_week") + DAILY,
        LAYERS + DAILY,
        LAYERS + "[cadence.new]\nlayers = [9]\nhours = 1\n" + WEEKLY + DAILY,
    ],
    ids=["renamed", "removed", "another order"],
)
@pytest.mark.parametrize("after", [timedelta(seconds=30), timedelta(hours=1)], ids=["before cleanup", "after it"])
def test_rows_mean_the_same_after_a_release_with_other_rules(
    later: str, after: timedelta, lab: Lab, tmp_path: Path
) -> None:
    lab.save(CAMPAIGN)
    lab.run_to(SEND_AT + DAY + after)
    release(lab, later, tmp_path)
    lab.run_to(SEND_AT + DAY + timedelta(hours=2))
    assert lab.execution(SECOND).state is State.COMPLETED
    assert excluded(lab, SECOND) == {"cadence:weekly": 4}
    assert lab.execution(SECOND).totals.excluded == {"cadence:weekly": 4}  # type: ignore[union-attr]
    assert reasons_in_receipt(lab, SECOND) == {"cadence:weekly"}


@pytest.mark.long
@pytest.mark.parametrize("built", [timedelta(minutes=-20), timedelta(minutes=-1)], ids=["at T-20", "at T-1"])
def test_a_rule_that_is_renamed_between_build_and_send_holds_back_under_its_old_byte(
    built: timedelta, lab: Lab, tmp_path: Path
) -> None:
    """The execution knows no rule `per_week`: what it holds back is named `other`, and no other rule's name."""
    lab.save(CAMPAIGN)
    lab.run_to(SEND_AT + DAY + built)
    release(lab, LAYERS + WEEKLY.replace("weekly", "per_week") + DAILY, tmp_path)
    lab.run_to(SEND_AT + 2 * DAY + timedelta(hours=2))
    assert excluded(lab, SECOND) == {"other": 4}
    assert reasons_in_receipt(lab, SECOND) == {"other"}
    third = f"welcome_{SEND_AT + 2 * DAY:%Y%m%dT%H%M%SZ}"
    assert excluded(lab, third) == {"cadence:per_week": 4}
    assert lab.execution(SECOND).rule_bytes != lab.execution(third).rule_bytes


@pytest.mark.long
def test_an_execution_of_an_older_release_has_no_list_and_is_read(lab: Lab) -> None:
    lab.save(CAMPAIGN)
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    stored = lab.execution(SECOND).document()
    del stored["ruleBytes"]
    old = Execution.read(stored)
    assert (old.unreadable, old.rule_bytes) == ("", {})
    lab.ports.executions.change(SECOND, lambda known: replace(known, rule_bytes={}))
    assert excluded(lab, SECOND) == {"other": 4}


@pytest.mark.parametrize("written", [None, 7, [], {"224": 5}, {"x": "cadence:x"}, {"104": "cadence:x"}])
def test_a_list_that_cannot_be_read_is_left_out(written: object, lab: Lab) -> None:
    lab.save(CAMPAIGN)
    lab.run_to(SEND_AT)
    read = Execution.read({**lab.execution().document(), "ruleBytes": written})
    assert (read.rule_bytes, read.unreadable) == ({}, "")


@pytest.mark.long
def test_two_systems_with_other_rules_do_not_meet(make_gym: MakeLab, make_lab: MakeLab) -> None:
    ours, theirs, market = make_gym(), make_gym(LAYERS), make_lab()
    for lab in (ours, theirs, market):
        lab.save(CAMPAIGN)
        lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert [excluded(lab, SECOND) for lab in (ours, theirs, market)] == [
        {"cadence:weekly": 4},
        {},
        {"layer_3_cooldown": 4},
    ]


@pytest.mark.long
def test_a_push_has_one_of_up_to_nine_layers(make_gym: MakeLab) -> None:
    names = "".join(f'{number} = "Layer {number}"\n' for number in range(1, 10))
    lab = make_gym(f"[layers]\n{names}[cadence.all]\nlayers = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nhours = 1\ncount = 8\n")
    pushes = [push(number, layerId=number, audienceName="a") for number in range(1, 10)]
    lab.save(recipe(pushSequence=pushes))
    lab.run_to_the_end()
    assert excluded(lab) == {"cadence:all": 4}, "the ninth push within the hour"
    assert [each["excluded"] for each in lab.report()["pushes"]][-1] == {"cadence:all": 4}


def test_a_layer_that_the_workspace_lacks_is_refused_with_its_path_and_the_known_ones(lab: Lab) -> None:
    pushes = [push(1, layerId=3), push(2, layerId=5), push(3, layerId=0)]
    with pytest.raises(BadRecipe) as refused:
        lab.save(recipe(pushSequence=pushes))
    said = "must be a layer of the workspace (1 Alarms, 3 Coaching, 9 Offers), got"
    assert [(error.field, error.reason) for error in refused.value.errors] == [
        ("pushSequence[1].layerId", f"{said} 5"),
        ("pushSequence[2].layerId", f"{said} 0"),
    ]


def test_the_words_of_a_refusal_are_the_old_ones_where_layers_are_1_to_5(make_lab: MakeLab) -> None:
    with pytest.raises(BadRecipe, match=r"pushSequence\[0\].layerId: must be at most 5, got 7"):
        make_lab().save(recipe(pushSequence=[push(1, layerId=7)]))


def test_a_recipe_whose_layer_a_release_dropped_sends_nothing_and_says_why(lab: Lab, tmp_path: Path) -> None:
    lab.save(CAMPAIGN)
    release(lab, '[layers]\n1 = "All"\n', tmp_path)
    lab.run_to_the_end()
    assert lab.execution().state is State.FAILED
    assert "pushSequence[0].layerId: must be a layer of the workspace (1 All)" in lab.execution().reason
    assert lab.outbox() == []


def upload(*numbers: int) -> io.BytesIO:
    return io.BytesIO("\n".join(["user_id", *map(user, numbers)]).encode())


@pytest.mark.slow
def test_a_push_is_sent_once_by_the_rules_of_the_workspace(lab: Lab) -> None:
    """One-off sends have uploaded audiences."""
    track_notification(lab.ports, {"userId": user(0), "layerId": 9, "sentAt": YESTERDAY})
    once = OneOff(written={"title": "Hi", "body": "b", "layerId": 9})
    tried = try_once(lab.ports, once, upload(0, 1), by="ann@example.com")
    assert tried.pushes[0].excluded == {"cadence:weekly": 1}
    sent = send_once(lab.ports, once, upload(0, 1), by="ann@example.com")
    lab.run_to(lab.clock.now() + timedelta(hours=1))
    assert excluded(lab, sent.id) == {"cadence:weekly": 1}
    with pytest.raises(BadFields, match="layerId: must be a layer of the workspace"):
        send_once(lab.ports, replace(once, written={**once.written, "layerId": 2}), upload(0), by="ann@example.com")


def test_history_is_imported_by_the_layers_of_the_workspace(lab: Lab) -> None:
    rows = [f"{user(number)},{layer},{YESTERDAY}" for number, layer in enumerate((3, 9, 1, 2, 0))]
    report = import_history(
        lab.ports, io.BytesIO("\n".join(["user_id,layer,sent_at", *rows]).encode()), dry_run=False
    )
    assert (report.imported, dict(report.skipped), report.refused) == (2, {"layer_bypasses": 1}, 2)
    known = "must be a layer of the workspace (1 Alarms, 3 Coaching, 9 Offers)"
    assert [error.reason for error in report.errors] == [f'{known}, got "2"', f'{known}, got "0"']
    held = filter_audience(lab.ports, [user(number) for number in range(3)], 3)
    assert (held.eligible, held.excluded) == ([user(2)], {"cadence:weekly": 2})
    assert filter_audience(lab.ports, [user(0)], 1).eligible == [user(0)], "an exempt layer"


@pytest.mark.slow
def test_a_saved_change_overrides_the_workspace_by_name_and_the_rest_follows_the_workspace(
    lab: Lab, tmp_path: Path
) -> None:
    change_rules(lab.ports, [{"name": "weekly", "hours": 24}], by="ann@example.com")
    release(lab, LAYERS + WEEKLY + DAILY.replace("30", "31"), tmp_path)
    assert [(rule.name, rule.hours) for rule in rules_in_force(lab.ports)] == [("weekly", 24), ("daily", 31)]
    assert ignored_rules(lab.ports) == []
    release(lab, LAYERS + DAILY, tmp_path)
    assert ignored_rules(lab.ports) == ["weekly"]
    api = ApiClient(lambda: lab.ports)
    answer = json.loads(api("GET", "/api/cadence-rules").text)
    assert answer["message"] == "saved changes are ignored of rules that the workspace no longer has: weekly"
    assert [rule["name"] for rule in answer["data"]["rules"]] == ["daily"]
    assert "rules that the workspace no longer has: weekly" in Visitor(lambda: lab.ports).get("/cadence").text
    change_rules(lab.ports, [{"name": "daily", "active": False}], by="ann@example.com")
    assert ignored_rules(lab.ports) == [], "the next change forgets it"


@pytest.mark.slow
def test_the_api_shows_the_layers_and_rules_of_the_workspace(lab: Lab) -> None:
    api = ApiClient(lambda: lab.ports)
    assert api.data("GET", "/api/layers") == [
        {"number": 1, "name": "Alarms", "exempt": True, "rules": []},
        {"number": 3, "name": "Coaching", "exempt": False, "rules": ["daily", "weekly"]},
        {"number": 9, "name": "Offers", "exempt": False, "rules": ["weekly"]},
    ]
    change = {"rules": [{"name": "weekly", "hours": 24, "layers": [3, 9]}]}
    assert api.data("PUT", "/api/cadence-rules", json=change)["rules"][1]["hours"] == 24
    refused = api("PUT", "/api/cadence-rules", json={"rules": [{"name": "layer_3_cooldown", "hours": 24}]})
    assert "must be one of daily, weekly" in refused.text
    for body in ({"userIds": [user(0)], "layerId": 5}, {"userIds": [user(0)], "layerId": -1}):
        answer = json.loads(api.unchecked("POST", "/api/filter-audience", json=body).text)
        assert [error["field"] for error in answer["errors"]] == ["layerId"]
    document = json.loads(api("GET", "/api/openapi.json").text)
    layer = document["components"]["schemas"]["RecipePush"]["properties"]["layerId"]
    assert (layer["enum"], layer["description"]) == ([1, 3, 9], "1 Alarms, 3 Coaching, 9 Offers.")
    assert document["components"]["schemas"]["RulesChange"]["properties"]["rules"]["examples"] == [
        [{"hours": 48, "name": "daily"}]
    ]
    assert '"x-' not in json.dumps(document["components"])


@pytest.mark.long
def test_the_console_shows_the_layers_and_rules_of_the_workspace(lab: Lab) -> None:
    visitor = Visitor(lambda: lab.ports)
    lab.save(CAMPAIGN)
    form = visitor.open("GET", "/recipes/welcome/edit").text
    assert '<option value="3" selected>3 · Coaching' in form
    assert '<option value="9">9 · Offers' in form
    assert "Behaviour-responsive" not in form
    page = visitor.get("/cadence")
    assert "Layer 1 is not capped." in page.text
    assert "Weekly" in page.text
    assert "3 and 9" in page.text
    visitor.send("/cadence", "/cadence", {"weekly.hours": "100"})
    assert rules_in_force(lab.ports)[1].hours == 100
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert "Cadence rule weekly" in visitor.get(f"/executions/{SECOND}").text
    assert "Layer 3, Coaching" in visitor.get("/recipes/welcome").text


@pytest.mark.long
def test_a_workspace_without_rules_caps_nobody_and_its_page_says_so(make_gym: MakeLab) -> None:
    lab = make_gym("")
    lab.save(CAMPAIGN)
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert excluded(lab, SECOND) == {}
    assert "The workspace has no rules: tminus.toml names them." in Visitor(lambda: lab.ports).get("/cadence").text
    with pytest.raises(BadFields, match="is no rule: tminus"):
        change_rules(lab.ports, [{"name": "weekly", "hours": 1}], by="ann@example.com")


def test_templates_come_from_the_workspace(lab: Lab) -> None:
    assert ApiClient(lambda: lab.ports).data("GET", "/api/automation/templates") == []
    folder = lab.ports.workspace.folder
    (folder / "templates").mkdir()
    template: dict[str, Any] = {
        "name": "Come back",
        "description": "For members who stay away.",
        "schedule": {"frequency": "daily", "executionTime": "09:00"},
        "pushSequence": [{"title": "Hi", "body": "b", "layerId": 3}],
        "audienceCriteria": {"customScript": {"scriptId": "everybody"}},
    }
    (folder / "templates" / "come_back.json").write_text(json.dumps(template))
    lab.wrap = lambda ports: replace(ports, workspace=Workspace(folder))
    lab.restart()
    [shown] = ApiClient(lambda: lab.ports).data("GET", "/api/automation/templates")
    assert (shown["id"], shown["recipe"]["pushSequence"][0]["layerId"]) == ("come_back", 3)
    assert create_from_template(lab.ports, "come_back", {}, by="ann@example.com").pushes[0].layer_id == 3


def test_the_form_offers_the_topics_of_the_workspace(lab: Lab, tmp_path: Path) -> None:
    release(lab, '[topics]\nnews = "News of the week"\n', tmp_path)
    form = Visitor(lambda: lab.ports).open("GET", "/recipes/new").text
    assert '<input id="topic" name="topic" dir="auto" value="" autocomplete="off" list="topics"' in form
    assert '<option value="news">News of the week</option>' in form
