"""Named test people over HTTP."""

import json

from tests.factories import user
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab

AT = "/api/test-people"
ANA = {"name": "Ana", "userId": user(1), "email": "ana@kicks.example"}


def test_people_are_added_replaced_and_removed(lab: Lab, api: ApiClient) -> None:
    assert api.data("GET", AT) == {"people": []}
    assert api.data("POST", AT, json=ANA) == {"people": [ANA]}
    renamed = {**ANA, "name": " Ana B. ", "userId": user(1).upper()}
    assert [each["name"] for each in api.data("POST", AT, json=renamed)["people"]] == ["Ana B."]
    api.data("POST", AT, json={"name": "Al", "userId": user(2)})
    assert [each["name"] for each in api.data("GET", AT)["people"]] == ["Al", "Ana B."]
    assert len(api.data("POST", f"{AT}/remove", json={"userId": user(1)})["people"]) == 1
    assert api("POST", f"{AT}/remove", json={"userId": user(1)}).status_code == 404
    entries = lab.ports.audit.of_recipe("test.people", most=9)
    assert [entry.deed.action.value for entry in entries] == ["deleted", "saved", "saved", "saved"]


def test_what_cannot_be_used_is_named(api: ApiClient) -> None:
    wrong = api("POST", AT, json={"name": " ", "userId": "jo", "email": "a b"})
    assert [each["field"] for each in json.loads(wrong.text)["errors"]] == ["name", "userId", "email"]
    api.data("POST", AT, json=ANA)
    response = api("POST", AT, json={"name": "Ben", "userId": user(2), "email": "ANA@kicks.example"})
    assert response.status_code == 422
    assert "another test person has the e-mail address" in response.text
