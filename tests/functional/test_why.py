"""Why a user would, or would not, get a push: the same answer as the audience, the dry run and the send."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.workspace import Workspace
from functions.domain.errors import BadInput, BadRecipe
from functions.domain.ids import UserIdFormat
from functions.usecases.dry_run.preview import preview
from functions.usecases.dry_run.why import why
from functions.usecases.dry_run.why_report import WhyOfPush
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.command import Tminus, calling
from tests.factories import push, recipe, user
from tests.functional.conftest import SEND_AT, Lab

MakeLab = Callable[..., Lab]
AT = "2026-11-23T18:00:00Z"
RAN = {"did": "trained", "times": {"at_least": 2}, "within_days": 30}
LAYER_3 = [push(1, layerId=3, audienceName="a", title="Hi [[var:name]]", body="b")]


def only(lab: Lab, document: dict[str, Any], user_id: str) -> WhyOfPush:
    [found] = why(lab.ports, document, user_id).pushes
    return found


@pytest.mark.slow
def test_a_cadence_rule_is_named_with_the_pushes_that_count(lab: Lab) -> None:
    lab.save(recipe(pushSequence=LAYER_3))
    lab.run_to_the_end()
    found = why(lab.ports, recipe(pushSequence=LAYER_3), user(1))
    [push_found] = found.pushes
    assert (push_found.gets, push_found.reason, push_found.steps[-1].passes) == (False, "layer_3_cooldown", False)
    [rule] = push_found.rules
    assert [(each.push, each.at) for each in rule.pushes] == [(f"{lab.id}/1", SEND_AT)]
    assert rule.free_at == SEND_AT + timedelta(hours=72)
    assert "layer_3_cooldown allows 1 push in 72 hours" in found.answer
    assert only(lab, recipe(pushSequence=[{**LAYER_3[0], "layerId": 1}]), user(1)).gets


@pytest.mark.slow
def test_the_push_goes_out_when_the_rule_is_said_to_let_it_through(lab: Lab) -> None:
    document = recipe(pushSequence=LAYER_3)
    lab.save(document)
    lab.run_to_the_end()
    [rule] = only(lab, document, user(1)).rules
    assert rule.free_at is not None
    lab.clock.advance_to(rule.free_at - timedelta(minutes=10, seconds=1))
    assert not only(lab, document, user(1)).gets
    lab.clock.advance_to(rule.free_at - timedelta(minutes=10))
    assert only(lab, document, user(1)).gets


def test_the_pushes_of_a_sequence_count_against_each_other_and_nothing_is_reserved(lab: Lab) -> None:
    document = recipe(pushSequence=[LAYER_3[0], {**LAYER_3[0], "sequenceOrder": 2}])
    for _ in range(2):
        found = why(lab.ports, document, user(1))
        assert [each.reason for each in found.pushes] == ["", "layer_3_cooldown"]
    assert lab.outbox() == []


@pytest.mark.slow
def test_every_user_of_a_dry_run_is_explained_as_it_counts(make_lab: MakeLab) -> None:
    lab = make_lab()
    rows = [(user(number), f"Shoe {number}", f"Name {number}", "a") for number in range(4)]
    rows += [("no uuid", "s", "n", "a"), (user(5), "s", "", "a"), (user(6), "s", "n" * 5_000, "a")]
    lab.write_rows(rows)
    lab.write_devices([(row[0], f"token-{row[0]}") for row in rows if row[0] != user(2)])
    document = recipe(pushSequence=LAYER_3)
    counted = preview(lab.ports, document, test=False).pushes[0]
    found = {row[0]: only(lab, document, row[0]) for row in rows}
    assert Counter(each.reason for each in found.values() if not each.gets) == counted.excluded
    assert sum(each.gets is True for each in found.values()) == counted.eligible == 3
    assert "name" in next(step.message for step in found[user(5)].steps if step.reason == "missing_variable")
    assert found["no uuid"].reason == "invalid_user_id"
    assert {step.step for step in found["no uuid"].steps if step.passes is None} == {"devices"}
    assert only(lab, document, user(2)).steps[2].message == "has no device"


def test_a_user_outside_the_audience_of_a_job_is_said_to_be_out(lab: Lab) -> None:
    found = why(lab.ports, recipe(), user(5).upper())
    assert [each.reason for each in found.pushes] == ["not_in_audience", "", "not_in_audience"]
    assert (found.fits, found.known, found.conditions) == (True, None, ())
    assert "push 1: would not get it: not in the audience a" in found.answer


@pytest.mark.long
def test_filters_of_the_marketplace_say_in_or_out(lab: Lab) -> None:
    lab.write_table("user_admin_informations", ("user_id", "freeze_reason"), [(user(3), "fraud")])
    document = recipe(
        audienceCriteria={"filters": {"manualUserIds": [user(1), user(3)]}},
        pushSequence=[push(1, title="a", body="b")],
    )
    assert [why(lab.ports, document, user(n)).fits for n in (1, 2, 3)] == [True, False, False]


def test_what_cannot_be_an_id_or_a_recipe_is_refused(lab: Lab) -> None:
    for text in ("", " ", "a\0b", "\ud800", "x" * 201):
        with pytest.raises(BadInput):
            why(lab.ports, recipe(), text)
    with pytest.raises(BadRecipe):
        why(lab.ports, recipe(pushSequence=[]), user(1))


def test_ids_of_any_kind_are_found(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    lab.write_rows([("o'hara", "s", "n", "a")])
    lab.write_devices([("o'hara", "token")])
    assert only(lab, recipe(pushSequence=LAYER_3), "o'hara").gets


@pytest.fixture
def tminus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tminus:
    """The command in a folder without the state of a `tminus up`, which it would find by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER_ID_FORMAT", "any")
    return calling(monkeypatch, capsys)


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    return fitness(tmp_path / "fitness", devices=True, models=MODELS)


def asked(tminus: Tminus, gym: Workspace, user_id: str, criteria: dict[str, Any], *more: object) -> Any:
    path = gym.folder / "hello.json"
    pushes = [push(1, layerId=3, title="Hi [[var:firstName]]", body="[[var:bio]]")]
    document = recipe(audienceCriteria=criteria, pushSequence=pushes, settings={"testUserIds": ["1"]})
    path.write_text(json.dumps(document))
    data = ("--data", gym.folder / "data", "--at", AT)
    return tminus("--workspace", gym.folder, "why", user_id, "--recipe", path, *data, *more)


@pytest.mark.slow
def test_the_command_shows_each_condition_with_the_value_of_the_user(tminus: Tminus, gym: Workspace) -> None:
    where = {"all": [RAN, {"not": {"column": "weight", "op": "at_least", "value": 70}}]}
    found = asked(tminus, gym, "2", {"where": where, "with": ["totals"]})
    assert (found.status, found.err) == (0, "")
    assert found.out.splitlines() == [
        "user 2 would not get it: not in the audience default",
        f"welcome at {AT}: users who have at least 2 trained in the last 30 days and not (whose weight is at least "
        "70), with a row in totals",
        "  no  all of these",
        "  no    have at least 2 trained in the last 30 days: 0 trained, the last on 2026-10-01 10:00:00 UTC",
        "  no    not this",
        "  yes     weight is at least 70: 80",
        "  yes with: totals",
        "push 1, layer 3",
        "  no  not in the audience default (not_in_audience)",
    ]


def test_the_command_answers_as_json_without_private_values(tminus: Tminus, gym: Workspace) -> None:
    found = asked(tminus, gym, "1", {"where": RAN}, "--json")
    assert (found.status, found.report["fits"], found.report["pushes"][0]["gets"]) == (0, True, None)
    assert [step["passes"] for step in found.report["pushes"][0]["steps"]] == [True, True, True, True, None]
    assert SECRET not in found.out


@pytest.mark.long
@pytest.mark.parametrize("user_id", ["99", "' OR TRUE --", "ann"])
def test_a_user_whom_the_workspace_does_not_know_is_said_so(user_id: str, tminus: Tminus, gym: Workspace) -> None:
    found = asked(tminus, gym, user_id, {"where": RAN})
    assert found.status == 0
    assert found.out.splitlines()[0] == f"user {user_id} is not in people: the workspace knows no such user"


def test_bad_input_of_the_command_ends_with_status_2(tminus: Tminus, gym: Workspace) -> None:
    wrong = asked(tminus, gym, "1", {"where": {"column": "wieght", "op": "empty"}})
    assert (wrong.status, "audienceCriteria.where.column" in wrong.err) == (2, True)
    missing = tminus("--workspace", gym.folder, "why", "1", "--recipe", gym.folder / "none.json")
    assert missing.status == 2
    no_state = asked(tminus, gym, "1", {"where": RAN}, "--state", gym.folder / "state")
    assert (no_state.status, "no Tminus state is there" in no_state.err) == (2, True)


def test_several_rows_of_a_user_are_an_error_of_the_model(tminus: Tminus, gym: Workspace) -> None:
    with (gym.folder / "data" / "members.csv").open("a", encoding="utf-8") as file:
        file.write("1,twin,Twin,,,2026-01-01T00:00:00Z\n")
    found = asked(tminus, gym, "1", {"where": RAN})
    assert (found.status, "several rows" in found.err) == (2, True)
