"""Every message is one that FCM's document allows, whatever a recipe and a user's row put into it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from firebase_admin import messaging
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.push.outcomes import Envelope, Message
from functions.gcp.fcm.check import _QUESTION as HEALTH
from functions.gcp.fcm.messages import message_writer
from tests.conformance.discovery import document
from tests.examples import examples
from tests.fcm import a_message, a_push, an_envelope

FCM = document("fcm", "v1", snake_case=True)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RICH = a_push(
    deepLink="https://kicks.example/[[var:id]]",
    image="https://img.example/[[var:id]].jpg",
    buttons=[{"id": "buy", "title": "Buy [[var:t]]", "deepLink": "kicks://buy"}, {"id": "later", "title": "Later"}],
    data={"größe": "44", "<body>": "<title>"},
    priority="normal",
    ttlMinutes=90,
    android={"channelId": "offers", "sound": "ding", "color": "#ff6600", "icon": "shoe", "count": 3},
    ios={
        "subtitle": "For [[var:t]]",
        "category": "offer",
        "sound": "ding.caf",
        "badge": 2,
        "threadId": "offers",
        "interruptionLevel": "passive",
        "relevanceScore": 0.5,
    },
    web={"icon": "https://img.example/icon.png", "badge": "https://img.example/b.png", "requireInteraction": True},
)
TEXTS = st.text(max_size=40)
IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,60}", fullmatch=True)


def written(envelope: Envelope, message: Message, time_to_live: timedelta = timedelta(hours=4)) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(message_writer(envelope, NOW, time_to_live)(message))
    return request


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(an_envelope(), id="plain"),
        pytest.param(an_envelope(dry_run=True), id="dry run"),
        pytest.param(an_envelope(test=True), id="to a tester"),
        pytest.param(an_envelope(content=RICH), id="everything"),
        pytest.param(HEALTH, id="health check"),
        pytest.param(an_envelope(content=a_push(deepLink="https://kicks.example/[[var:id]]")), id="a link"),
    ],
)
@pytest.mark.parametrize("link", ["https://kicks.example/ß?a=1", None])
def test_a_message_has_no_fault(envelope: Envelope, link: str | None) -> None:
    more = ("x",) * len(envelope.content.more_texts)
    linked = link or ("https://kicks.example" if envelope.content.deep_link else None)
    request = written(envelope, a_message("token", deep_link=linked, more=more))
    assert FCM.faults("SendMessageRequest", request) == []
    assert FCM.request_faults("POST", "https://any/v1/projects/demo/messages:send", request) == []


@examples(80, few=12)
@given(
    recipe=IDS,
    push=st.integers(1, 20),
    texts=st.tuples(TEXTS, TEXTS, TEXTS),
    link=st.none() | TEXTS,
    data=st.dictionaries(st.from_regex(r"x[a-z]{1,9}", fullmatch=True), TEXTS, max_size=19),
    seconds=st.integers(0, 28 * 86_400),
)
def test_no_text_of_a_row_or_a_recipe_makes_a_fault(
    recipe: str, push: int, texts: tuple[str, str, str], link: str | None, data: dict[str, str], seconds: int
) -> None:
    token, title, body = texts
    content = a_push(data=data | {"v": "[[var:v]]"}, buttons=[{"id": "b", "title": "[[var:v]]!"}])
    execution = f"{recipe}_20261123T180000Z"
    envelope = an_envelope(recipe_id=recipe, execution_id=execution, push=push, content=content)
    message = a_message(token, title=title, body=body, deep_link=link, more=(f"{body}!", title))
    request = written(envelope, message, timedelta(seconds=seconds))
    assert FCM.faults("SendMessageRequest", request) == []
    assert request["message"]["notification"] == {"title": title, "body": body}
    sent = request["message"]["data"]
    assert json.loads(sent.pop("buttons")) == [{"id": "b", "title": f"{body}!"}]
    assert sent == data | {"v": title, "tm": f"{execution}.{push}.0"}


def test_firebase_admin_writes_the_same() -> None:
    message = a_message("tok", deep_link="https://l.example", more=("u", "v", "w"), is_fid=True)
    request = written(an_envelope(content=RICH), message)
    theirs = json.loads(str(firebase_message(message)))
    theirs["android"]["priority"] = theirs["android"]["priority"].upper()  # Google's description has capitals
    assert request == {"message": theirs}


def firebase_message(message: Message) -> messaging.Message:
    """The message of `RICH` in the words of firebase-admin."""
    key, tm = an_envelope().collapse_key, "daily_20261123T180000Z.2.0"
    buttons = '[{"id":"buy","title":"v","deepLink":"kicks://buy"},{"id":"later","title":"Later"}]'
    return messaging.Message(
        fid=message.token,
        notification=messaging.Notification(title=message.title, body=message.body, image="u"),
        data={"deepLink": "https://l.example", "größe": "44", "<body>": "<title>", "buttons": buttons, "tm": tm},
        android=messaging.AndroidConfig(
            ttl=timedelta(minutes=90),
            priority="normal",
            notification=messaging.AndroidNotification(
                tag=key, channel_id="offers", sound="ding", color="#ff6600", icon="shoe", notification_count=3
            ),
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-collapse-id": key,
                "apns-expiration": str(int((NOW + timedelta(minutes=90)).timestamp())),
                "apns-priority": "5",
            },
            payload=messaging.APNSPayload(
                messaging.Aps(
                    alert=messaging.ApsAlert(title=message.title, body=message.body, subtitle="w"),
                    badge=2,
                    sound="ding.caf",
                    category="offer",
                    thread_id="offers",
                    mutable_content=True,
                    custom_data={"interruption-level": "passive", "relevance-score": 0.5},
                )
            ),
        ),
        webpush=messaging.WebpushConfig(
            headers={"TTL": "5400", "Topic": key},
            notification=messaging.WebpushNotification(
                icon="https://img.example/icon.png",
                badge="https://img.example/b.png",
                require_interaction=True,
                actions=[
                    messaging.WebpushNotificationAction("buy", "v"),
                    messaging.WebpushNotificationAction("later", "Later"),
                ],
            ),
            fcm_options=messaging.WebpushFCMOptions(link="https://l.example"),
        ),
        fcm_options=messaging.FCMOptions(analytics_label="daily-2"),
    )
