"""Channels as webhooks, before a real server: what each answer means, and what never happens."""

import socket
import threading
from datetime import timedelta

import pytest

from functions.domain.errors import Misconfigured, QuotaExceeded, Refused, Transient
from functions.gcp.webhooks import WebhookChannels
from local.standins.webhook import Reply, WebhookSink

SECRET = "/services/T000/B000/secret"
PAYLOAD = {"text": "größer 👟", "blocks": [{"type": "section"}]}


def channels(sink: WebhookSink, **options: timedelta) -> WebhookChannels:
    return WebhookChannels({"all": f"{sink.url}{SECRET}"}, **options)


def test_what_is_posted_arrives_as_json_in_one_request() -> None:
    with WebhookSink() as sink:
        channels(sink).post("all", PAYLOAD)
        assert sink.posted == [PAYLOAD]
        assert sink.asked == [("POST", SECRET)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 302, 301, 307])
def test_an_answer_that_will_not_change_is_given_up_and_no_redirect_is_followed(status: int) -> None:
    with WebhookSink() as elsewhere, WebhookSink(Reply(status=status, headers={"Location": elsewhere.url})) as sink:
        with pytest.raises(Refused, match=f"channel all answers {status}") as refused:
            channels(sink).post("all", PAYLOAD)
        assert len(sink.asked) == 1
        assert elsewhere.asked == []
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_trouble_that_may_pass_is_to_be_tried_again(status: int) -> None:
    with WebhookSink(Reply(status=status, body=b"token xoxb-1")) as sink:
        with pytest.raises(Transient) as trouble:
            channels(sink).post("all", PAYLOAD)
        assert not isinstance(trouble.value, QuotaExceeded)
        assert "xoxb" not in str(trouble.value)
        assert "secret" not in str(trouble.value)


@pytest.mark.parametrize(
    ("status", "asked", "waits"),
    [(429, "30", 30), (429, "86400", 600), (429, "", 1), (503, "7", 7), (429, "soon", 1)],
)
def test_a_channel_that_says_when_is_asked_then_within_reason(status: int, asked: str, waits: float) -> None:
    with WebhookSink(Reply(status=status, headers={"Retry-After": asked})) as sink:
        with pytest.raises(QuotaExceeded) as again:
            channels(sink).post("all", PAYLOAD)
        assert again.value.retry_after_seconds == waits


def test_a_channel_that_hangs_is_left_after_the_patience() -> None:
    release = threading.Event()
    with WebhookSink(Reply(release=release)) as sink:
        with pytest.raises(Transient, match="cannot be reached"):
            channels(sink, patience=timedelta(milliseconds=200)).post("all", PAYLOAD)
        release.set()


def test_a_channel_that_has_said_yes_has_it_however_long_it_goes_on_talking() -> None:
    with WebhookSink(Reply(body=b"x" * 1_000_000)) as sink:
        channels(sink).post("all", PAYLOAD)
        assert len(sink.posted) == 1


def test_a_refused_connection_is_trouble_that_may_pass() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Transient, match="channel all cannot be reached"):
            WebhookChannels({"all": url}).post("all", PAYLOAD)


def test_a_channel_without_an_address_is_the_deployments_fault() -> None:
    with pytest.raises(Misconfigured, match="ALERT_WEBHOOKS: has no address for channel 'growth'"):
        WebhookChannels({}).post("growth", PAYLOAD)


def test_no_other_protocol_is_spoken() -> None:
    with pytest.raises(Transient):
        WebhookChannels({"all": "file:///etc/passwd"}).post("all", PAYLOAD)
