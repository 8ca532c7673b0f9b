"""Data that a push carries for the app: written in a form or by the API, checked, measured, and sent as they are."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import read
from functions.gcp.fcm.messages import message_writer
from functions.usecases.dry_run.preview import preview
from tests.factories import push, recipe
from tests.fcm import a_message, a_push, an_envelope
from tests.functional.api.documented import document
from tests.functional.conftest import EARLIER, Lab
from tests.functional.console.visitor import Visitor

DATA = {"campaign": "spring 🌷", "größe": "a=b"}
EDIT = "/recipes/welcome/edit"


def refused(lab: Lab, data: Any) -> dict[str, str]:
    with pytest.raises(BadRecipe) as error:
        lab.save(recipe(pushSequence=[push(1, data=data)]))
    return {each.field.removeprefix("pushSequence[0]."): each.reason for each in error.value.errors}


@pytest.mark.long
def test_every_message_of_the_push_carries_its_data_and_the_others_none(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, data=DATA), push(2)]))
    lab.run_to_the_end()
    carried = {(line["push"], line["test"]): line.get("data") for line in lab.outbox()}
    assert carried == {(1, True): DATA, (1, False): DATA, (2, True): None, (2, False): None}


@pytest.mark.parametrize("link", ["https://kicks.example/<title>", None])
def test_fcm_gets_the_data_beside_the_deep_link(link: str | None) -> None:
    data = DATA | {"a": "<deep link>", "z": '"<title>"'}
    content = a_push(data=data, deepLink=link and "[[var:link]]")
    write = message_writer(an_envelope(content=content), EARLIER, timedelta(hours=1))
    message = json.loads(write(a_message("tok", deep_link=link)))["message"]
    tm = {"tm": "daily_20261123T180000Z.2.0"}
    assert message["data"] == data | tm | ({} if link is None else {"deepLink": link})
    assert message["notification"]["title"] == "Hallo Zoë 👟"


@pytest.mark.parametrize("key", ["from", "message_type", "aps", "deepLink", "google.sent", "gcm"])
def test_a_key_that_fcm_or_tminus_uses_is_refused(lab: Lab, key: str) -> None:
    assert list(refused(lab, {"fine": "x", key: "x"})) == [f"data.{key}"]


@pytest.mark.parametrize(
    ("data", "field", "told"),
    [
        ({"n": 5}, "data.n", "must be text, got 5"),
        ({" ": "x"}, "data", "blank key"),
        ({"name": "[[var:nom]]"}, "data.name", "names no column"),
        ({f"k{n}": "" for n in range(21)}, "data", "at most 20 entries, not 21"),
        ({"long": "é" * 2_048}, "data", "FCM takes 4,096: shorten it"),
        ("x", "data", "must be an object"),
    ],
)
def test_data_that_fcm_does_not_take_are_refused(lab: Lab, data: Any, field: str, told: str) -> None:
    found = refused(lab, data)
    assert list(found) == [field]
    assert told in found[field]


@pytest.mark.long
def test_a_dry_run_counts_the_bytes_of_the_data(lab: Lab) -> None:
    without, with_data = (
        preview(lab.ports, recipe(pushSequence=[push(1, data=data)]), test=False).pushes[0].payload_bytes
        for data in ({}, {"k": "é"})
    )
    assert with_data.largest - without.largest == len(',"k":"é"'.encode())


@pytest.mark.parametrize("data", [DATA, {"two": "a\nb"}, {"a=b": ""}, {"{": " x "}])
def test_a_form_shows_and_saves_data(lab: Lab, data: dict[str, str]) -> None:
    lab.save(recipe(pushSequence=[push(1, data=data), push(2)]))
    visitor = Visitor(lambda: lab.ports)
    visitor.send(EDIT, EDIT, {"pushSequence[1].data": "campaign = spring\n\nempty="}, status=303)
    stored = lab.ports.recipes.get("welcome") or {}
    assert [each.get("data") for each in stored["pushSequence"]] == [data, {"campaign": "spring", "empty": ""}]


@pytest.mark.parametrize(
    ("text", "told"), [("spring", "has no ="), ("a=1\na=2", "repeats a key"), ("{", "not valid")]
)
def test_a_form_says_how_to_write_data(lab: Lab, text: str, told: str) -> None:
    response = Visitor(lambda: lab.ports).send(EDIT, EDIT, {"pushSequence[0].data": text}, status=422)
    assert "Push 1, data: " in response.text
    assert told in response.text


@pytest.mark.long
@pytest.mark.parametrize("text", ["[[1,2],[3]]", '{"name": "{{name}}"}', "%name%", "]] [[", ""])
def test_data_may_have_the_syntax_of_the_app(lab: Lab, text: str) -> None:
    lab.save(recipe(pushSequence=[push(1, data={"own": text})]))
    lab.run_to_the_end()
    assert {line["fcm"]["data"]["own"] for line in lab.outbox()} == {text}
    assert lab.violations() == []


def test_the_api_describes_data_and_a_recipe_without_any_stays_readable() -> None:
    schema = document()["components"]["schemas"]["RecipePush"]["properties"]["data"]
    assert (schema["additionalProperties"], schema["maxProperties"]) == ({"type": ["string", "null"]}, 20)
    assert read(recipe()).pushes[0].data == {}
