"""Each key of what a push carries: where it stands in the message that FCM gets, and that its size counts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.push.fcm_message import message_writer
from functions.domain.push.links import LinkPolicy
from functions.domain.push.outcomes import Exclusion, Message
from functions.domain.push.payload import Payload
from functions.domain.recipe.content_fields import AndroidContent, IosContent, WebContent
from functions.domain.recipe.fields import fields_of
from functions.domain.recipe.push_fields import CONTENT, RecipePush
from functions.usecases.sending.rows import Device, renderer
from tests.fcm import an_envelope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINKS = LinkPolicy(allowed=("https",), images=("https",))
COLUMNS, ROW = ("user_id", "name"), ("u1", "Zoë & Co")
ENCODED = "Zo%C3%AB%20%26%20Co"
IMAGE, ICON = "https://img.example/[[var:name]].jpg", f"https://img.example/{ENCODED}.jpg"
BUTTON = {"id": "go", "title": "Go, [[var:name]]", "deepLink": "https://k.example/[[var:name]]"}
GIVEN = json.dumps(
    [{"id": "go", "title": f"Go, {ROW[1]}", "deepLink": f"https://k.example/{ENCODED}"}],
    ensure_ascii=False,
    separators=(",", ":"),
)
GERMAN = {"de": {"title": "Für [[var:name]]", "body": "b"}}
NOT_COUNTED = ("priority", "ttlMinutes")
"""Options of the request, and no part of the payload."""
KEYS: list[tuple[str, Any, str, Any]] = [
    ("image", IMAGE, "notification.image", ICON),
    ("image", IMAGE, "apns.payload.aps.mutable-content", 1),
    ("buttons", [BUTTON], "data.buttons", GIVEN),
    ("buttons", [BUTTON], "webpush.notification.actions", [{"action": "go", "title": f"Go, {ROW[1]}"}]),
    ("data", {"for": "[[var:name]]"}, "data.for", ROW[1]),
    ("priority", "normal", "android.priority", "NORMAL"),
    ("priority", "normal", "apns.headers.apns-priority", "5"),
    ("ttlMinutes", 90, "android.ttl", "5400s"),
    ("ttlMinutes", 90, "webpush.headers.TTL", "5400"),
    ("ttlMinutes", 90, "apns.headers.apns-expiration", str(int((NOW + timedelta(minutes=90)).timestamp()))),
    ("android.channelId", "news", "android.notification.channel_id", "news"),
    ("android.sound", "ding", "android.notification.sound", "ding"),
    ("android.color", "#FF6600", "android.notification.color", "#FF6600"),
    ("android.icon", "bell", "android.notification.icon", "bell"),
    ("android.count", 3, "android.notification.notification_count", 3),
    ("ios.subtitle", "For [[var:name]]", "apns.payload.aps.alert.subtitle", f"For {ROW[1]}"),
    ("ios.category", "class", "apns.payload.aps.category", "class"),
    ("ios.sound", "ding.caf", "apns.payload.aps.sound", "ding.caf"),
    ("ios.badge", 0, "apns.payload.aps.badge", 0),
    ("ios.threadId", "t", "apns.payload.aps.thread-id", "t"),
    ("ios.interruptionLevel", "passive", "apns.payload.aps.interruption-level", "passive"),
    ("ios.relevanceScore", 0.5, "apns.payload.aps.relevance-score", 0.5),
    ("web.icon", IMAGE, "webpush.notification.icon", ICON),
    ("web.badge", IMAGE, "webpush.notification.badge", ICON),
    ("web.requireInteraction", True, "webpush.notification.requireInteraction", True),
    ("translations", GERMAN, "notification.title", f"Für {ROW[1]}"),
]


def a_push(**content: Any) -> RecipePush:
    return RecipePush.model_validate({"title": "Hi", "body": "b", "layerId": 3, **content})


def with_key(path: str, value: Any) -> RecipePush:
    outer, _, inner = path.partition(".")
    return a_push(**{outer: {inner: value} if inner else value})


def message(push: RecipePush, locale: str) -> Message:
    """The message of a push for a user with this locale."""
    made = renderer(push, COLUMNS, LINKS)(ROW, [Device("t", locale=locale)])
    assert not isinstance(made, Exclusion)
    return made[0]


def sent(push: RecipePush, locale: str) -> Any:
    """What FCM gets."""
    return json.loads(message_writer(an_envelope(content=push), NOW, timedelta(hours=4))(message(push, locale)))


def found(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


@pytest.mark.parametrize(("key", "value", "path", "expected"), KEYS)
def test_each_key_is_sent_with_the_values_of_its_user_and_absent_where_it_is_not_set(
    key: str, value: Any, path: str, expected: Any
) -> None:
    assert found(sent(with_key(key, value), "de-AT"), path) == expected
    assert found(sent(a_push(), "de-AT"), path) != expected
    assert found(sent(with_key("translations", GERMAN), "fr"), path) != expected


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, value, *_ in KEYS if key not in NOT_COUNTED])
def test_the_size_of_each_key_counts(key: str, value: Any) -> None:
    def size(push: RecipePush) -> int:
        made = message(push, "de")
        return Payload(push.in_language(made.language)).size(made.title, made.body, made.deep_link, made.more)

    assert size(with_key(key, value)) > size(a_push())


def test_no_key_is_left_out_here() -> None:
    nested = {"android": AndroidContent, "ios": IosContent, "web": WebContent}
    keys = {key for key in CONTENT if key not in nested and key != "requireLocales"}
    keys |= {f"{outer}.{inner}" for outer, model in nested.items() for inner in fields_of(model)}
    assert {key for key, *_ in KEYS} == keys
