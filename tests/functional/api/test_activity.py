"""What people did, over the API."""

from typing import Any

import pytest

from functions.usecases.people.testers import add_tester
from functions.usecases.recipes.save import pause_recipe, resume_recipe
from tests.factories import recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

AT = "/api/audit"
ANA, BEN = "ana@kicks.example", "ben@kicks.example"


@pytest.fixture
def busy(lab: Lab) -> Lab:
    lab.save(recipe(id="sale"))
    pause_recipe(lab.ports, "welcome", by=ANA)
    pause_recipe(lab.ports, "sale", by=BEN)
    resume_recipe(lab.ports, "welcome", by=BEN)
    add_tester(lab.ports, name="Cleo", user_id=user(1), email="cleo@kicks.example", by=ANA)
    return lab


def listed(api: ApiClient, query: str = "") -> list[tuple[str, str, str]]:
    return [(each["action"], each["subject"], each["by"]) for each in api.data("GET", f"{AT}?{query}")]


@pytest.mark.usefixtures("busy")
def test_what_people_did_is_listed_by_recipe_person_and_action(api: ApiClient) -> None:
    assert {("saved", "test.people", ANA), ("resumed", "welcome", BEN), ("paused", "sale", BEN)} < {*listed(api)}
    assert sorted(listed(api, "action=paused")) == [("paused", "sale", BEN), ("paused", "welcome", ANA)]
    assert listed(api, "by=ANA&action=paused") == [("paused", "welcome", ANA)]
    assert listed(api, "subject=welcome")[:2] == [("resumed", "welcome", BEN), ("paused", "welcome", ANA)]
    assert listed(api, "until=2020-01-01") == listed(api, "since=2099-01-01") == []
    assert listed(api, "subject=nothing") == []


@pytest.mark.usefixtures("busy")
def test_pages_follow_each_other(api: ApiClient) -> None:
    found, query = [], "limit=2"
    while query:
        page: Any = api("GET", f"{AT}?{query}").json
        found += [(each["action"], each["subject"], each["by"]) for each in page["data"]]
        following = page["pagination"]["next"]
        query = f"limit=2&cursor={following}" if following else ""
    assert found == listed(api, "limit=50")


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=2026-01-01T00:00:00Z~a/b~1", "since=x", "action=x", "limit=51"]
)
def test_a_wrong_parameter_names_itself(query: str, api: ApiClient) -> None:
    response = api("GET", f"{AT}?{query}")
    assert response.status_code == 422
    assert query.partition("=")[0] in response.text


@pytest.mark.usefixtures("busy")
def test_it_has_no_test_person(api: ApiClient) -> None:
    text = api("GET", AT).text
    assert user(1) not in text
    assert "cleo" not in text.lower()
