"""What a push carries besides its texts: each part is sent, filled per user, measured, checked and shown."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import BadFields, BadRecipe
from functions.usecases.by_hand.send_once import OneOff, send_once, users_file
from functions.usecases.dry_run.preview import preview
from tests.factories import push, recipe, user
from tests.functional.conftest import Lab, lab_tables
from tests.functional.console.visitor import Visitor

CONTENT: dict[str, Any] = {
    "image": "https://img.example/[[var:shoe]].jpg",
    "buttons": [
        {"id": "offer", "title": "Offer, [[var:name]]", "deepLink": "https://kicks.example/o?n=[[var:name]]"}
    ],
    "data": {"for": "[[var:name]]"},
    "priority": "normal",
    "ttlMinutes": 90,
    "android": {"channelId": "offers", "sound": "ding", "color": "#ff6600", "icon": "shoe", "count": 3},
    "ios": {"subtitle": "For [[var:name]]", "category": "offer", "badge": 0, "interruptionLevel": "passive"},
    "web": {"icon": "https://img.example/i.png", "requireInteraction": True},
}


def messages(lab: Lab, push: int = 1) -> list[dict[str, Any]]:
    """The live messages of a push, as FCM gets them."""
    return [line["fcm"] for line in lab.outbox() if line["push"] == push and not line["test"]]


def refused(lab: Lab, **content: Any) -> dict[str, str]:
    with pytest.raises(BadRecipe) as error:
        lab.save(recipe(pushSequence=[push(1, **content)]))
    return {each.field.removeprefix("pushSequence[0]."): each.reason for each in error.value.errors}


def test_every_part_is_sent_and_filled_for_each_user(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, **CONTENT)]))
    lab.run_to_the_end()
    sent = messages(lab)
    assert len(sent) > 3
    for line in sent:
        name = line["data"]["for"]
        assert name in line["notification"]["title"]
        assert line["apns"]["payload"]["aps"]["alert"]["subtitle"] == f"For {name}"
        [button] = json.loads(line["data"]["buttons"])
        assert button["title"] == f"Offer, {name}"
        assert line["webpush"]["notification"]["actions"] == [{"action": "offer", "title": f"Offer, {name}"}]
        assert line["notification"]["image"].startswith("https://img.example/")
        assert line["data"]["tm"] == f"{lab.execution().id}.1.0"
        assert (line["android"]["priority"], line["apns"]["headers"]["apns-priority"]) == ("NORMAL", "5")
        assert line["android"]["ttl"] == "5400s"
    assert len({line["data"]["for"] for line in sent}) > 1


def test_a_plain_push_has_none_of_it(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, deepLink=None)]))
    lab.run_to_the_end()
    for line in messages(lab):
        assert set(line) == {"token", "notification", "data", "android", "apns", "fcm_options", "webpush"}
        assert line["data"] == {"tm": f"{lab.execution().id}.1.0"}
        assert line["android"]["priority"] == "HIGH"
        assert set(line["android"]["notification"]) == {"tag"}
        assert set(line["apns"]) == set(line["webpush"]) == {"headers"}


def test_a_message_lives_as_long_as_the_deployment_says_unless_its_push_does(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(time_to_live=timedelta(minutes=30))
    lab.save(recipe(pushSequence=[push(1), push(2, ttlMinutes=90)]))
    lab.run_to_the_end()
    for number, seconds in ((1, "1800"), (2, "5400")):
        sent = messages(lab, number)
        assert {line["android"]["ttl"] for line in sent} == {f"{seconds}s"}
        assert {line["webpush"]["headers"]["TTL"] for line in sent} == {seconds}


@pytest.mark.parametrize(
    ("content", "field", "told"),
    [
        ({"image": "http://img.example/a.jpg"}, "image", "not among the allowed images: https"),
        ({"image": "data:image/png;base64,x"}, "image", "not among the allowed images"),
        ({"image": "https://[[var:shoe]]/a.jpg"}, "image", "must stand before the first variable"),
        ({"image": "https://img.example/[[var:nom]]"}, "image", "names no column"),
        ({"image": "https://img.example/a b.jpg"}, "image", "holds a blank"),
        ({"buttons": [{"id": "a", "title": "A"}] * 2}, "buttons", "holds the id 'a' twice"),
        ({"buttons": [{"id": str(n), "title": "A"} for n in range(4)]}, "buttons", "at most 3 buttons, not 4"),
        ({"buttons": [{"id": "a b", "title": "A"}]}, "buttons[0].id", "letters, digits"),
        ({"buttons": [{"id": "a"}]}, "buttons[0].title", "is missing"),
        ({"buttons": [{"id": "a", "title": "A", "deepLink": "ftp://x/y"}]}, "buttons[0].deepLink", "allowed links"),
        ({"priority": "urgent"}, "priority", "'high' or 'normal'"),
        ({"ttlMinutes": -1}, "ttlMinutes", "at least 0"),
        ({"ttlMinutes": 40_321}, "ttlMinutes", "at most 40320"),
        ({"android": {"color": "red"}}, "android.color", "a color such as #FF6600"),
        ({"android": {"channelId": "[[var:name]]"}}, "android.channelId", "holds a variable"),
        ({"android": {"count": "3"}}, "android.count", "must be a whole number"),
        ({"ios": {"interruptionLevel": "critical"}}, "ios.interruptionLevel", "must be one of"),
        ({"ios": {"interruptionLevel": "time-sensitive"}}, "ios.interruptionLevel", "layer 1 only"),
        ({"ios": {"relevanceScore": 2}}, "ios.relevanceScore", "at most 1"),
        ({"ios": {"subtitle": "{{name}}"}}, "ios.subtitle", "[[var:name]]"),
        ({"ios": {"subtitel": "x"}}, "ios.subtitel", "did you mean 'subtitle'"),
        ({"web": {"icon": "http://x.example/i.png"}}, "web.icon", "allowed images"),
        ({"image": "https://img.example:8443/a.png"}, "image", "add https://img.example:8443 to ALLOWED_IMAGES"),
        ({"buttons": [{"id": "a", "title": ""}]}, "buttons[0].title", "is blank"),
        ({"buttons": [{"id": "a", "title": "[[var:name| ]]"}]}, "buttons[0].title", "is blank"),
        ({"ios": {"subtitle": "  "}}, "ios.subtitle", "is blank"),
        ({"ios": {"subtitle": "\u200b\u2800"}}, "ios.subtitle", "is blank"),
        ({"data": {"tm": "x"}}, "data.tm", "choose another"),
        ({"data": {"big": "é" * 2_048}}, "data", "FCM takes 4,096"),
        ({"ios": {"subtitle": "é" * 2_048}}, "ios.subtitle", "FCM takes 4,096"),
    ],
)
def test_what_phones_would_not_show_is_refused(lab: Lab, content: dict[str, Any], field: str, told: str) -> None:
    found = refused(lab, layerId=3, **content)
    assert list(found) == [field]
    assert told in found[field]


def test_a_row_whose_values_are_missing_or_too_large_is_excluded_with_its_reason(lab: Lab) -> None:
    pushes = [push(1, ios={"subtitle": "[[var:shoe]]" * 2_500})]
    found = preview(lab.ports, recipe(pushSequence=pushes), test=False).pushes[0]
    assert found.excluded["payload_too_large"] > 0


def test_a_dry_run_shows_every_text_as_a_user_gets_it(lab: Lab) -> None:
    [one] = preview(lab.ports, recipe(pushSequence=[push(1, **CONTENT)]), test=False).pushes
    sample = one.samples[0]
    name = sample.more["data.for"]
    assert sample.more["ios.subtitle"] == f"For {name}"
    assert sample.more["buttons[0].title"] == f"Offer, {name}"
    assert sample.more["web.icon"] == "https://img.example/i.png"
    assert sample.more["image"].startswith("https://img.example/")


def test_the_form_shows_every_part_and_changes_none(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, **CONTENT, note="ours"), push(2)]))
    before = (lab.ports.recipes.get("welcome") or {})["pushSequence"]
    visitor = Visitor(lambda: lab.ports)
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", {}, status=303)
    assert (lab.ports.recipes.get("welcome") or {})["pushSequence"] == before
    edited = {"pushSequence[1].android.channelId": "news", "pushSequence[1].buttons": '[{"id": "x", "title": "X"}]'}
    visitor.send("/recipes/welcome/edit", "/recipes/welcome/edit", edited, status=303)
    after = (lab.ports.recipes.get("welcome") or {})["pushSequence"]
    assert after[0] == before[0]
    assert (after[1]["android"], after[1]["buttons"]) == ({"channelId": "news"}, [{"id": "x", "title": "X"}])


def test_the_page_of_the_campaign_shows_every_text_by_its_label(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, **CONTENT)]))
    page = Visitor(lambda: lab.ports).get("/recipes/welcome").text
    for label in ("Image from", "Button 1 link", "Data for", "Web icon"):
        assert label in page


@pytest.mark.slow
def test_a_push_sent_once_carries_it_too(lab: Lab) -> None:
    written = {"title": "Hi", "body": "there", "layerId": 3}
    content = {"image": "https://img.example/a.jpg", "buttons": [{"id": "x", "title": "X"}]}
    send_once(lab.ports, OneOff(written=written, content=content), users_file([user(1)], lab.ports.policy), by="ana")
    lab.run_to_the_end()
    [line] = [line["fcm"] for line in lab.outbox() if line["executionId"].startswith("one-off")]
    assert line["notification"]["image"] == "https://img.example/a.jpg"
    assert json.loads(line["data"]["buttons"]) == content["buttons"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"image": "http://img.example/a.jpg"}, "content.image"),
        ({"picture": "x"}, "content.picture"),
        ({"title": "x"}, "content.title"),
        ({"android": {"color": "red"}}, "content.android.color"),
        ({"data": {"n": 5}}, "content.data.n"),
        ({"ios": {"subtitel": "x"}}, "content.ios.subtitel"),
        ({"ios": {"subtitle": "  "}}, "content.ios.subtitle"),
        ({"web": {"image": "x"}}, "content.web.image"),
        ({"buttons": [{"id": "x", "title": "X", "deeplink": "https://x.y"}]}, "content.buttons[0].deeplink"),
    ],
)
def test_content_of_a_push_sent_once_is_checked(lab: Lab, content: dict[str, Any], field: str) -> None:
    push_once = OneOff(written={"title": "Hi", "body": "", "layerId": 3}, content=content)
    with pytest.raises(BadFields) as error:
        send_once(lab.ports, push_once, users_file([user(1)], lab.ports.policy), by="ana")
    assert [each.field for each in error.value.errors] == [field]


@pytest.mark.slow
def test_the_log_says_how_many_devices_will_not_show_a_part(lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, buttons=[{"id": "x", "title": "X"}])]))
    lab.run_to_the_end()
    said = [entry.message for entry in lab.ports.logs.of(lab.execution().id)]
    assert any("iOS devices will not show buttons: name the app's category" in each for each in said), said


PEOPLE = "SELECT id AS user_id FROM users"


def test_a_firebase_installation_id_is_sent_to_as_one(lab: Lab) -> None:
    devices = """
        SELECT user_id, CASE WHEN platform = 'ios' THEN token END AS token, token AS fid, platform, updated_at
        FROM devices
    """
    lab.use_models(lab_tables(), people=PEOPLE, devices=devices)
    rows = [(user(n), f"phone-{n}", "android" if n % 2 else "ios", "2026-01-01 00:00:00+00") for n in range(4)]
    lab.write_table("devices", ("user_id", "token", "platform", "updated_at"), rows)
    lab.save(recipe(pushSequence=[push(1, audienceName="a")], settings={"safeguards": {"requireTestFirst": False}}))
    lab.run_to_the_end()
    assert {
        line["userId"]: (line["fcm"].get("token"), line["fcm"].get("fid")) for line in lab.outbox(test=False)
    } == {user(n): (None, f"phone-{n}") if n % 2 else (f"phone-{n}", None) for n in range(4)}
