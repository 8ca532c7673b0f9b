"""Recipes broken by hand, each field by each wrong type: every page and call that shows them still answers."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from werkzeug.test import Client

from functions import bootstrap
from functions.domain.recipe.read import read
from functions.domain.recipe.status import Status
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE
from tests.factories import TESTER, push, recipe
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor

WRONG: dict[str, Any] = {
    "text": "x",
    "number": 5,
    "nothing": None,
    "list": [None, 7, "x", {}],
    "object": {"a": [{"b": 1}]},
    "no number": float("nan"),
    "yes": True,
}
REPAIRED = {
    "audience": "job",
    "name": "Repaired",
    "status": "active",
    "schedule.timezone": "UTC",
    "schedule.frequency": "daily",
    "schedule.executionTime": "18:30",
    "schedule.startDate": "",
    "schedule.endDate": "",
    "schedule.leadTimeMinutes": "",
    "schedule.dayOfMonth": "",
    "schedule.cronExpression": "",
    "audienceCriteria.customScript.scriptId": "everybody",
    "audienceCriteria.customScript.parameters": "",
    "audienceCriteria.query": "",
    "settings.testUserIds": TESTER,
    "settings.cancellationWindowMinutes": "",
    "settings.maxLatenessMinutes": "",
    "settings.onUnknown": "",
    "settings.alertChannels": "",
    "settings.safeguards.emergencyContacts": "",
    "type": "",
    "description": "",
    "settings.safeguards.maxAudienceSize": "",
    "settings.safeguards.alertThresholds.audienceSize": "",
    "settings.safeguards.alertThresholds.failureRate": "",
} | {
    f"pushSequence[0].{name}": value
    for name, value in {
        "title": "Hello",
        "body": "There",
        "deepLink": "",
        "layerId": "1",
        "audienceName": "a",
        "timing.delayAfterPrevious": "",
        "timing.absoluteTime": "",
    }.items()
}
"""Everything that the form shows, as somebody would write it."""


def whole() -> dict[str, Any]:
    return recipe(
        isActive=True,
        type="sequence",
        description="Words",
        metadata={"owner": "growth"},
        createdAt="2026-01-01T00:00:00Z",
        updatedAt="2026-01-01T00:00:00Z",
        schedule__leadTimeMinutes=30,
        schedule__startDate="2026-01-01",
        schedule__endDate="2027-01-01",
        schedule__daysOfWeek=[1],
        schedule__dayOfMonth=3,
        schedule__cronExpression="0 18 * * *",
        pushSequence=[push(1, audienceName="a", timing={"delayAfterPrevious": 1, "absoluteTime": "19:00"})],
        audienceCriteria__customScript__parameters={"most": 5},
        audienceCriteria__testMode=False,
        audienceCriteria__filters={"lastActiveDays": 30},
        settings__cancellationWindowMinutes=25,
        settings__maxLatenessMinutes=15,
        settings__onUnknown="keep",
        settings__alertChannels=["growth"],
        settings__safeguards={
            "maxAudienceSize": 10,
            "requireTestFirst": True,
            "emergencyContacts": ["a@kicks.example"],
            "alertThresholds": {"audienceSize": 5, "failureRate": 0.1},
        },
    ) | {"nextSendAt": "of ours", "words": "of ours", "pushes": "of ours", "problem": "of ours"}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield from places(item, (*path, key))


def broken(path: tuple[str | int, ...], wrong: Any) -> dict[str, Any]:
    document = deepcopy(whole())
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = wrong
    return document


def _stored(document: dict[str, Any], _: object) -> dict[str, Any]:
    return document


SHORT = ("nothing", "list")
"""The wrong types that `make test` plays: one that reads as a value left out, and one of many kinds of values."""


@pytest.fixture(params=[pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in WRONG])
def ids(request: pytest.FixtureRequest, lab: Lab) -> list[str]:
    """Store a recipe for each field, with a value of a wrong type there; return their ids."""
    found = []
    for number, path in enumerate(places(whole())):
        if path != ("id",):
            document = broken(path, WRONG[request.param]) | {"id": f"broken-{number}"}
            lab.ports.recipes.change(document["id"], partial(_stored, document))
            found.append(document["id"])
    return found


@pytest.mark.slow
def test_every_page_shows_them(ids: list[str], visitor: Visitor) -> None:
    for each in ids:
        for path in (
            f"/recipes/{each}",
            f"/recipes/{each}/edit",
            f"/recipes/{each}/run",
            f"/recipes/{each}/delete",
            f"/recipes/new?from={each}",
        ):
            assert visitor.open("GET", path).status_code == 200, path
    for path in ("/", "/recipes", "/recipes?after=broken-30", "/recipes?status=active", "/calendar", "/executions"):
        assert visitor.open("GET", path).status_code == 200, path


def test_the_api_answers_them_in_json(ids: list[str], lab: Lab) -> None:
    api = Client(load_functions(("api",), SOURCE)["api"])
    at = "/api/automation/recipes"
    with bootstrap.bind(lab.ports):
        for path in [*(f"{at}/{each}" for each in ids), at, f"{at}?status=active", "/api/automation/monitor"]:
            response = api.get(path)
            assert response.status_code == 200, path
            json.loads(response.text, parse_constant=pytest.fail)


@pytest.mark.long
@pytest.mark.slow
def test_a_repaired_form_is_saved(ids: list[str], lab: Lab, visitor: Visitor) -> None:
    for each in ids:
        edit = f"/recipes/{each}/edit"
        fields = visitor.get(edit).form(edit).fields
        written = {name: value for name, value in fields.items() if not name.startswith("pushSequence[1]")}
        visitor.post(edit, written | REPAIRED, status=303)
        repaired = read(lab.ports.recipes.get(each) or {})
        assert repaired.is_active or repaired.status is Status.DRAFT, (
            "one whose status cannot be read is reviewed first"
        )


def test_the_form_names_what_is_wrong_and_shows_what_is_stored(lab: Lab, visitor: Visitor) -> None:
    stored = recipe(
        audienceCriteria="x",
        schedule__executionTime=1830,
        pushSequence=[None, push(2), push(1, layerId="three", timing=[])],
        settings__safeguards={"maxAudienceSize": {"of": "ours"}},
    )
    lab.ports.recipes.change("welcome", lambda _: stored)
    page = visitor.get("/recipes/welcome/edit")
    assert "Fix 6 problems" in page.text
    assert 'Audience: must be an object, got "x"' in page.text
    assert "Pushes: entry 1 must be an object, got null; saving removes it" in page.text
    wrong = {values["name"] for _, values in page.elements if values.get("aria-invalid") == "true"}
    assert wrong == {
        "schedule.executionTime",
        "pushSequence[0].layerId",
        "settings.safeguards.maxAudienceSize",
    }
    fields = page.form("/recipes/welcome/edit").fields
    assert fields["schedule.executionTime"] == ["1830"]
    assert fields["pushSequence[0].title"] == ["Push 1 for [[var:name]]"]
    assert fields["pushSequence[0].layerId"] == ["three"]


def test_a_stored_value_stays_what_it_is_when_the_form_is_saved_without_a_change(lab: Lab, visitor: Visitor) -> None:
    edit = "/recipes/welcome/edit"
    late = "2026-03-02T23:00:00Z"
    lab.ports.recipes.change(
        "welcome",
        lambda _: recipe(status=None, isActive=True, schedule__startDate=late, schedule__timezone="Asia/Tokyo"),
    )
    visitor.send(edit, edit)
    after = lab.ports.recipes.get("welcome") or {}
    assert (after["status"], after["schedule"]["startDate"]) == ("active", late)
    assert Page(visitor.open("GET", edit).text).form(edit).fields["status"] == ["active"]
