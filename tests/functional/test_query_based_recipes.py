"""Recipes whose audience is a query: from saving to sending, and what they are told when they are wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from audience_jobs.workspace import marketplace
from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import parse
from functions.usecases.recipes.audience import describe_audience
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import Lab

MakeLab = Callable[..., Lab]
PUSHES = [
    push(1, title="Hi [[var:firstName|there]]", body="b"),
    push(2, title="[[var:username]] again", body="b", audienceName="default"),
]


def query_based(**criteria: Any) -> dict[str, Any]:
    return recipe(audienceCriteria=criteria, pushSequence=PUSHES)


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    """A laboratory with five users: 3 is frozen and 4 was deleted."""
    made = make_lab()
    made.write_users({"a": range(5)})
    made.write_table("user_admin_informations", ("user_id", "freeze_reason"), [(user(3), "fraud"), (user(2), "")])
    rows = [(user(n), f"@{n}", f"Name {n}", "bio", "1" if n == 4 else "0") for n in range(5)]
    made.write_table("users", ("id", "username", "first_name", "bio", "deleted_at"), rows)
    return made


def receivers(lab: Lab, number: int) -> list[str]:
    return sorted(message["userId"] for message in lab.outbox(test=False) if message["push"] == number)


@pytest.mark.long
def test_every_push_goes_to_the_one_audience_and_tests_go_first(lab: Lab) -> None:
    given = [user(n).upper() for n in range(1, 5)]
    lab.save(query_based(manualUserIds=[*given, "stranger"]))
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"
    assert [entry["audience"] for entry in lab.report()["pushes"]] == ["default", "default"]
    assert receivers(lab, 1) == receivers(lab, 2) == [user(1), user(2)], "neither the frozen nor the deleted one"
    assert [message["userId"] for message in lab.outbox(test=True)] == [TESTER, TESTER]
    assert {message["title"] for message in lab.outbox(test=False)} >= {"Hi Name 1", "@2 again"}
    lab.assert_contract()


@pytest.mark.slow
def test_the_columns_of_its_own_query_are_those_of_its_templates(lab: Lab) -> None:
    sql = "SELECT id AS user_id, upper(first_name) AS shout FROM users WHERE first_name <> 'Name 1'"
    document = query_based(customQuery=sql)
    document["pushSequence"] = [push(1, title="[[var:shout]]!", body="b")]
    lab.save(document)
    lab.run_to_the_end()
    assert receivers(lab, 1) == [user(0), user(2)]
    assert {message["title"] for message in lab.outbox(test=False)} == {"NAME 0!", "NAME 2!"}
    document["pushSequence"][0]["title"] = "[[var:firstName]]"
    with pytest.raises(
        BadRecipe, match=r"pushSequence\[0\]\.title: \[\[var:firstName\]\] names no column of audience"
    ):
        lab.save(document)


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        (
            {"filters": {"minLifetimeTrades": -1}},
            "audienceCriteria.filters.minLifetimeTrades: must be a whole number",
        ),
        ({"filters": {"trades": 1}}, "audienceCriteria.filters.trades: is an unknown filter"),
        ({"dataPacks": ["shoes"]}, "audienceCriteria.dataPacks: names "),
        ({"customQuery": "DELETE FROM users"}, "audienceCriteria.customQuery: is not a SELECT but DELETE"),
        ({"activityDays": -1}, "audienceCriteria.activityDays: must be a whole number"),
        ({"filters": {}}, "audienceCriteria.filters: has no filter, so every user would get it"),
        ({}, "audienceCriteria.customScript.scriptId: is missing"),
    ],
)
def test_a_wrong_field_is_named_when_saving_and_at_t30(lab: Lab, criteria: dict[str, Any], told: str) -> None:
    document = query_based(**criteria)
    with pytest.raises(BadRecipe) as refused:
        lab.save(document)
    assert told in str(refused.value)
    lab.save(query_based(manualUserIds=[user(1)]))
    lab.ports.recipes.change("welcome", lambda _: document)
    lab.run_to_the_end()
    [violation] = lab.report()["violations"]
    assert (lab.report()["status"], violation["type"]) == ("failed", "audience_failed")
    assert told in violation["message"]
    assert lab.outbox() == []


@pytest.mark.long
def test_every_user_is_an_audience_only_where_that_is_said(lab: Lab) -> None:
    lab.write_table("users", ("id", "username", "first_name", "deleted_at", "completed_trades_count"), [])
    lab.save(query_based(filters={"minLifetimeTrades": 0}))
    lab.run_to_the_end()
    assert lab.report()["status"] == "completed"


def test_an_audience_of_another_name_is_refused(lab: Lab) -> None:
    document = query_based(filters={"minLifetimeTrades": 1})
    document["pushSequence"] = [push(1, title="t", body="b", audienceName="vips")]
    with pytest.raises(BadRecipe, match="'vips' is not an audience of query_audience; it declares default"):
        lab.save(document)


@pytest.mark.long
def test_a_script_counts_whatever_old_fields_stand_beside_it_and_the_recipe_says_so(make_lab: MakeLab) -> None:
    lab = make_lab()
    old = {"activityDays": 30, "tradingDays": -5, "trustedTraderStatus": "any", "filters": {"nonsense": 1}}
    lab.save(recipe(audienceCriteria={"customScript": {"scriptId": "everybody"}, **old}))
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9
    notices = parse(lab.ports.recipes.get("welcome")).notices
    assert any("audienceCriteria.activityDays" in notice and "not used" in notice for notice in notices)


def test_what_is_written_survives_a_round_trip_whether_it_is_known_or_not() -> None:
    criteria = {"filters": {"lastActiveDays": 7, "mystery": [None]}, "mood": {"a": None}, "minTrades": None}
    assert parse(query_based(**criteria)).document()["audienceCriteria"] == criteria


def test_a_recipe_describes_its_users_in_words() -> None:
    assert describe_audience(parse(query_based(activityDays=7, minTrades=2)), marketplace()) == (
        "users active in the last 7 days, with at least 2 trades"
    )
    assert describe_audience(parse(recipe()), marketplace()) == "users that the job everybody finds"
