"""What builds recipes, over HTTP: the workspace, previews of audiences, and why a user fits or not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import Workspace
from functions.domain.ids import UserIdFormat
from functions.domain.roles import Role
from functions.usecases.dry_run import query_audience
from tests.audience_jobs.fitness import MODELS, SECRET, fitness
from tests.audience_jobs.worlds import NOW
from tests.factories import push, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.api.test_frame import Gate
from tests.functional.conftest import Lab

PREVIEW, WORKSPACE, WHY = "/api/audiences/preview", "/api/workspace", "/api/people/why"
ENDLESS = """
    SELECT '1' AS user_id, CAST($now AS TIMESTAMP) AS at, length(md5(CAST(a.i * b.i AS TEXT))) AS size
    FROM generate_series(1, 1000000) AS a(i), generate_series(1, 1000000) AS b(i)
"""


@pytest.fixture
def gym(tmp_path: Path) -> Workspace:
    made = fitness(tmp_path / "fitness", devices=True, models={**MODELS, "opt_outs": "SELECT '2' AS user_id"})
    with (made.folder / "tminus.toml").open("a") as file:
        file.write('[topics]\nnews = "News of the week"\n[android]\nchannels = ["training"]\n')
        file.write('[defaults.ios]\nsound = "ding"\n')
    (made.folder / "jobs").mkdir()
    (made.folder / "jobs" / "runners.sql").write_text("SELECT memberId AS user_id FROM workouts GROUP BY memberId")
    return made


@pytest.fixture
def api(lab: Lab, gym: Workspace) -> ApiClient:
    policy = replace(lab.ports.policy, user_id_format=UserIdFormat.ANY)
    engine = DuckDBEngine(gym.folder / "data", gym)
    ports = replace(lab.ports, engine=engine, workspace=gym, policy=policy, callers=Gate(role=Role.OPERATOR))
    return ApiClient(lambda: ports)


def test_the_workspace_says_what_conditions_and_recipes_can_use(api: ApiClient) -> None:
    found = api.data("GET", WORKSPACE)
    assert (found["name"], found["hasPeople"], found["optOuts"], found["userIds"]) == ("fitness", True, True, "any")
    people = {column["name"]: column for column in found["people"]}
    assert sorted(people) == ["bio", "born", "firstName", "joined", "pro", "tags", "username", "weight"]
    assert (people["weight"]["type"], people["weight"]["inTemplates"]) == ("number", False)
    assert "between" in people["weight"]["operators"]
    assert [event["name"] for event in found["events"]] == ["trained"]
    assert [model["name"] for model in found["joinable"]] == ["trained", "totals"]
    assert [job["id"] for job in found["jobs"]] == ["runners"]
    assert found["defaults"] == {"ios": {"sound": "ding"}}
    assert (found["topics"], found["channels"]) == ([{"id": "news", "name": "News of the week"}], ["training"])


def test_no_private_column_is_named(api: ApiClient) -> None:
    text = json.dumps(api.data("GET", WORKSPACE))
    assert not [name for name in ("call_me", "phone", "token", SECRET) if name in text]


def test_the_marketplace_has_jobs_with_parameters_and_no_people(lab: Lab) -> None:
    found = ApiClient(lambda: lab.ports).data("GET", WORKSPACE)
    assert (found["name"], found["hasPeople"], found["people"], found["events"]) == ("marketplace", False, [], [])
    assert {"integer"} <= {each["type"] for job in found["jobs"] for each in job["parameters"]}


@pytest.mark.slow
def test_a_preview_counts_and_shows_the_same_people_each_time(api: ApiClient) -> None:
    order = {"where": {"column": "weight", "op": "not_empty"}, "with": ["totals"]}
    first, second = (api.data("POST", PREVIEW, json=order) for _ in range(2))
    assert first == second
    assert (first["count"], first["sentence"]) == (2, "users whose weight is not empty, with a row in totals")
    assert sorted(row[0] for row in first["sample"]) == ["1", "2"]
    assert first["columns"][:2] == ["user_id", "username"]
    assert SECRET not in json.dumps(first)


def test_a_preview_shows_an_operator_ten_people_at_most_and_a_viewer_nothing(api: ApiClient, gym: Workspace) -> None:
    with (gym.folder / "data" / "members.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{number},n,,,,\n" for number in range(100, 120))
    found = api.data("POST", PREVIEW, json={})
    assert (found["count"], len(found["sample"]), found["sentence"]) == (23, 10, "all users")
    ports = api._ports()
    viewer = ApiClient(lambda: replace(ports, callers=Gate(role=Role.VIEWER)))
    assert viewer("POST", PREVIEW, json={}).status_code == 403


def test_bad_conditions_are_all_named_with_their_places(api: ApiClient) -> None:
    wrong = {"all": [{"column": "call_me", "op": "not_empty"}, {"did": "runs"}, {"column": "pro", "op": "has"}]}
    refused = api("POST", PREVIEW, json={"where": wrong, "with": ["people", "nothing"]})
    assert refused.status_code == 422
    assert [error["field"] for error in json.loads(refused.text)["errors"]] == [
        "where.all[0].column",
        "where.all[1].did",
        "where.all[2].op",
        "with[0]",
        "with[1]",
    ]


def test_a_preview_needs_models(lab: Lab) -> None:
    refused = ApiClient(lambda: lab.ports)("POST", PREVIEW, json={"where": {"all": []}})
    assert (refused.status_code, "models/people.sql" in refused.text) == (422, True)


def test_a_preview_that_takes_too_long_is_stopped(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_audience, "PREVIEW_SECONDS", 0.3)
    gym = fitness(tmp_path / "endless", devices=True, models={**MODELS, "endless": ENDLESS})
    ports = replace(lab.ports, engine=DuckDBEngine(gym.folder / "data", gym), workspace=gym)
    slow = {"did": "endless", "where": {"column": "size", "op": "at_least", "value": 1}}
    refused = ApiClient(lambda: ports)("POST", PREVIEW, json={"where": slow})
    assert refused.status_code == 409
    assert "the preview was stopped after 0.3 s: narrow the conditions" in json.loads(refused.text)["message"]


@pytest.mark.long
def test_an_operator_is_told_why_a_user_gets_a_push_or_not(api: ApiClient, lab: Lab) -> None:
    lab.clock.advance_to(NOW)
    criteria = {"where": {"all": [{"did": "trained"}, {"column": "bio", "op": "not_empty"}]}}
    lab.store(recipe(id="runners", audienceCriteria=criteria, pushSequence=[push(1, title="a", body="b")]))
    fits, not_ = (api.data("POST", WHY, json={"userId": str(number), "recipe": "runners"}) for number in (1, 2))
    assert (fits["fits"], fits["pushes"][0]["gets"], fits["answer"]) == (True, True, "user 1 would get it")
    assert (not_["fits"], not_["pushes"][0]["reason"]) == (False, "not_in_audience")
    assert [(each["path"], each["holds"], each["actual"]) for each in not_["conditions"]] == [
        ("where", False, ""),
        ("where.all[0]", True, "1 trained, the last on 2026-10-01 10:00:00 UTC"),
        ("where.all[1]", False, "empty"),
    ]
    assert not_["conditions"][1]["lastAt"] == "2026-10-01T10:00:00Z"
    assert SECRET not in json.dumps([fits, not_])


def test_why_needs_a_recipe_that_is_there(api: ApiClient) -> None:
    assert api("POST", WHY, json={"userId": "1"}).status_code == 422
    assert api("POST", WHY, json={"userId": "1", "recipe": "none"}).status_code == 404


@pytest.mark.slow
def test_why_asks_the_cadence_ledger(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to_the_end()
    found = ApiClient(lambda: lab.ports).data("POST", WHY, json={"userId": user(1), "recipe": "welcome"})
    [held] = found["pushes"]
    assert (held["reason"], held["rules"][0]["freeAt"]) == ("layer_3_cooldown", "2026-03-05T18:30:00Z")
