"""Every message is one that FCM's document allows, whatever a recipe and a user's row put into it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.push.outcomes import Envelope, Message
from functions.gcp.fcm.check import _QUESTION as HEALTH
from functions.gcp.fcm.messages import message_writer
from tests.conformance.discovery import document
from tests.examples import examples
from tests.fcm import a_message, an_envelope

FCM = document("fcm", "v1", snake_case=True)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
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
        pytest.param(an_envelope(data={"größe": "44", "<body>": "<title>"}), id="data"),
        pytest.param(HEALTH, id="health check"),
    ],
)
@pytest.mark.parametrize("link", ["https://kicks.example/ß?a=1", None])
def test_a_message_has_no_fault(envelope: Envelope, link: str | None) -> None:
    request = written(envelope, a_message("token", deep_link=link))
    assert FCM.faults("SendMessageRequest", request) == []
    assert FCM.request_faults("POST", "https://any/v1/projects/demo/messages:send", request) == []


@examples(80, few=12)
@given(
    recipe=IDS,
    push=st.integers(1, 20),
    texts=st.tuples(TEXTS, TEXTS, TEXTS),
    link=st.none() | TEXTS,
    data=st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), TEXTS, max_size=20),
    seconds=st.integers(0, 28 * 86_400),
)
def test_no_text_of_a_row_or_a_recipe_makes_a_fault(
    recipe: str, push: int, texts: tuple[str, str, str], link: str | None, data: dict[str, str], seconds: int
) -> None:
    token, title, body = texts
    envelope = an_envelope(recipe_id=recipe, execution_id=f"{recipe}_20261123T180000Z", push=push, data=data)
    message = a_message(token, title=title, body=body, deep_link=link)
    request = written(envelope, message, timedelta(seconds=seconds))
    assert FCM.faults("SendMessageRequest", request) == []
    assert request["message"]["notification"] == {"title": title, "body": body}
