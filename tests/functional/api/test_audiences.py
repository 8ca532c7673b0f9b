"""Audience jobs, query-based audiences and templates, over HTTP, on a sample marketplace."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import marketplace
from functions.domain.roles import Role
from local.sample import generate
from tests.audience_jobs.marketplace import find
from tests.factories import TESTER
from tests.functional.api.documented import ApiClient
from tests.functional.api.test_frame import Gate
from tests.functional.conftest import EARLIER, Lab

SCRIPTS, QUERY, TEMPLATES = "/api/scripts", "/api/query-audience", "/api/automation/templates"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, users=500, seed=1, at=EARLIER)
    return folder


@pytest.fixture
def market(lab: Lab, sample: Path) -> ApiClient:
    ports = replace(lab.ports, engine=DuckDBEngine(sample, marketplace()), find_job=find)
    return ApiClient(lambda: ports)


@pytest.mark.long
def test_jobs_are_listed_and_run_for_a_look(market: ApiClient) -> None:
    jobs = {job["id"]: job for job in market.data("GET", SCRIPTS)}
    assert jobs["generate_layer_3_push_csvs"]["parameters"][0]["name"] == "lookback_hours"
    order = {"scriptId": "generate_new_user_waterfall", "parameters": {"maxDays": 30}, "preview": 2}
    found = market.data("POST", SCRIPTS, json=order)["audiences"]
    assert [audience["name"] for audience in found][:2] == ["no-shoes", "no-bio"]
    assert sum(audience["users"] for audience in found) > 10
    assert max(len(audience["rows"]) for audience in found) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "status", "field"),
    [
        ({"scriptId": "generate_nothing"}, 404, None),
        ({"scriptId": "generate_new_user_waterfall", "parameters": {"max_days": "x"}}, 422, "parameters.max_days"),
        ({"scriptId": "generate_showcase_push_csvs"}, 422, "parameters.product_id"),
        ({"parameters": {}}, 422, "scriptId"),
    ],
)
def test_a_job_that_cannot_run_says_why(
    order: dict[str, object], status: int, field: str | None, market: ApiClient
) -> None:
    response = market("POST", SCRIPTS, json=order)
    errors = json.loads(response.text)["errors"]
    assert (response.status_code, errors[0]["field"] if errors else None) == (status, field)


@pytest.mark.long
def test_a_query_is_answered_in_words_in_numbers_and_as_csv(market: ApiClient) -> None:
    asked = {"filters": {"lastActiveDays": 30}, "dataPacks": ["topTargetShoe"], "parts": 3}
    found = market.data("POST", QUERY, json=asked)
    rows = list(csv.DictReader(found["csv"].splitlines()))
    assert (len(rows), "30 days" in found["audienceDescription"]) == (found["count"], True)
    assert {"user_id", "top_target_shoe_name", "top_target_shoe_variantid"} <= set(found["columns"])
    assert sum(part["count"] for part in found["parts"]) == found["count"] > 20
    whole = market("POST", f"{QUERY}?format=csv", json=asked)
    assert (whole.mimetype, whole.text) == ("text/csv", found["csv"])
    assert market("POST", f"{QUERY}?format=csv&part=2", json=asked).text == found["parts"][1]["csv"]
    assert market("POST", f"{QUERY}?format=csv&part=4", json=asked).status_code == 422


@pytest.mark.slow
def test_a_viewer_finds_no_users_because_the_difference_of_two_numbers_tells_of_one(market: ApiClient) -> None:
    ports = market._ports()
    viewer = ApiClient(lambda: replace(ports, callers=Gate(role=Role.VIEWER)))
    operator = ApiClient(lambda: replace(ports, callers=Gate(role=Role.OPERATOR)))
    asked, own = {"filters": {"lastActiveDays": 30}}, {"customQuery": "SELECT id AS user_id FROM users"}
    for call, body in ((QUERY, asked), (f"{QUERY}?format=csv", asked), (QUERY, own)):
        assert viewer("POST", call, json=body).status_code == 403
        assert operator("POST", call, json=body).status_code == 200


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"filters": {"lastActive": 3}}, "filters.lastActive"),
        ({"dataPacks": ["shoes"]}, "dataPacks"),
        ({"customQuery": "DELETE FROM users"}, "customQuery"),
        ({"parts": 101}, "parts"),
        ({"filters": {"manualUserIds": [5]}}, "filters.manualUserIds"),
    ],
)
def test_a_query_that_means_nothing_names_the_field(asked: dict[str, object], field: str, market: ApiClient) -> None:
    for how in ("json", "csv"):
        response = market("POST", f"{QUERY}?format={how}", json=asked)
        assert response.status_code == 422
        assert json.loads(response.text)["errors"][0]["field"].startswith(field)


@pytest.mark.slow
@pytest.mark.parametrize("template", ["onboarding_funnel", "retention", "feature_announcement"])
def test_a_template_becomes_a_draft_that_can_be_activated(template: str, market: ApiClient) -> None:
    assert template in {each["id"] for each in market.data("GET", TEMPLATES)}
    body = {"templateId": template, "name": "Mine", "customizations": {"settings": {"testUserIds": [TESTER]}}}
    created = market.data("POST", TEMPLATES, json=body)
    assert (created["id"], created["status"], created["template"]) == ("mine", "draft", template)
    assert market("POST", TEMPLATES, json=body).status_code == 409
    activated = market.data("PUT", "/api/automation/recipes/mine", json={"status": "active"})
    assert activated["nextSendAt"] > "2026-03-02"
    tried = market.data("GET", "/api/automation/test/mine?mode=real-dry-run")
    assert {problem["type"] for problem in tried["problems"]} <= {"test_failed", "audience_empty"}


def test_an_unknown_template_names_those_that_exist(market: ApiClient) -> None:
    response = market("POST", TEMPLATES, json={"template": "spam"})
    assert (response.status_code, "retention" in response.text) == (404, True)
