"""The compared clients: Tminus's sender, and firebase-admin's two ways to send many messages.

Each function sends so many messages to a sink from a process of its own, after 500 messages to warm up, and returns
the seconds. It raises RuntimeError if a message was not accepted.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
from firebase_admin import credentials, messaging
from google.oauth2.credentials import Credentials
from requests.adapters import HTTPAdapter

from bench.sink import PROJECT, fcm_settings
from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender

_BATCH = 500
"""The most that firebase-admin sends in one call."""
_TOKEN_CHARACTERS = 152
_UNPACED = 1e9
_ENVELOPE = Envelope(execution_id="bench", recipe_id="bench", push=1, test=False, dry_run=False)


def tminus(messages: int, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, float]:
    """FcmSender: chunks of 500 messages, several in progress."""
    sender = FcmSender(fcm_settings(endpoint, ca_file, credentials_file), SystemClock())
    batches = [
        [Message(f"user-{n}", *_texts(n)) for n in range(start, min(start + _BATCH, messages))]
        for start in range(0, messages, _BATCH)
    ]

    def send(some: list[list[Message]]) -> Iterator[bool]:
        chunks = (Chunk(number=n, messages=batch, most_per_second=_UNPACED) for n, batch in enumerate(some))
        for _, outcomes in sender.send(_ENVELOPE, chunks):
            yield from (outcome is Outcome.SENT for outcome in outcomes)

    warm_up(sender)
    start, processor = time.perf_counter(), time.process_time()
    _check(send(batches), messages)
    return _measured(messages, start, processor)


def send_each(messages: int, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, float]:
    """firebase_admin.messaging.send_each: a thread for each message of a call."""
    del ca_file, credentials_file
    app, batches = _firebase_app(endpoint), _firebase_batches(messages)

    def send(batch: list[Any]) -> Iterator[bool]:
        return (response.success for response in messaging.send_each(batch, app=app).responses)

    _check(send(batches[0]), len(batches[0]))
    start, processor = time.perf_counter(), time.process_time()
    _check((success for batch in batches for success in send(batch)), messages)
    return _measured(messages, start, processor)


def send_each_async(messages: int, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, float]:
    """firebase_admin.messaging.send_each_async: HTTP/2 with httpx in one event loop."""
    del ca_file, credentials_file
    app, batches = _firebase_app(endpoint), _firebase_batches(messages)

    async def run() -> dict[str, float]:
        async def send(batch: list[Any]) -> list[bool]:
            answer = await messaging.send_each_async(batch, app=app)
            return [response.success for response in answer.responses]

        _check(await send(batches[0]), len(batches[0]))
        start, processor = time.perf_counter(), time.process_time()
        _check([success for batch in batches for success in await send(batch)], messages)
        return _measured(messages, start, processor)

    return asyncio.run(run())


def warm_up(sender: FcmSender) -> None:
    """Open a sender's connections and get its access token; RuntimeError if a message is not accepted."""
    messages = [Message(f"user-{n}", *_texts(n)) for n in range(_BATCH)]
    for _, outcomes in sender.send(_ENVELOPE, [Chunk(number=0, messages=messages, most_per_second=_UNPACED)]):
        _check([outcome is Outcome.SENT for outcome in outcomes], len(messages))


class _FixedToken(credentials.Base):  # type: ignore[misc]
    """A credential that needs no network: its token never expires."""

    def get_credential(self) -> Credentials:
        """Return the credential as google-auth knows it."""
        return Credentials(token="x" * 200)  # type: ignore[no-untyped-call]


def _firebase_app(endpoint: str) -> Any:
    """Return an app whose messages go to the sink, with a connection pool as large as for FCM."""
    service_class = messaging._MessagingService
    service_class.FCM_URL = f"{endpoint}/v1/projects/{{0}}/messages:send"
    app = firebase_admin.initialize_app(_FixedToken(), {"projectId": PROJECT})
    sink, session = urlsplit(endpoint), messaging._get_messaging_service(app)._client.session
    real: HTTPAdapter = session.get_adapter("https://fcm.googleapis.com/")
    session.mount(f"{sink.scheme}://{sink.netloc}", real)
    return app


def _firebase_batches(messages: int) -> list[list[Any]]:
    made = [_firebase_message(n) for n in range(messages)]
    return [made[start : start + _BATCH] for start in range(0, messages, _BATCH)]


def _firebase_message(number: int) -> Any:
    token, title, body, link = _texts(number)
    key = _ENVELOPE.collapse_key
    return messaging.Message(
        fid=token,
        notification=messaging.Notification(title=title, body=body),
        data={"deepLink": link},
        android=messaging.AndroidConfig(ttl=timedelta(hours=4), notification=messaging.AndroidNotification(tag=key)),
        apns=messaging.APNSConfig(headers={"apns-collapse-id": key, "apns-expiration": "1900000000"}),
        webpush=messaging.WebpushConfig(headers={"TTL": "14400", "Topic": key}),
        fcm_options=messaging.FCMOptions(analytics_label=_ENVELOPE.analytics_label),
    )


def _texts(number: int) -> tuple[str, str, str, str]:
    """Return a message's token, title, body and deep link."""
    token = f"token-{number}-".ljust(_TOKEN_CHARACTERS, "x")
    return token, f"Hello Name {number}", f"Your item {number} waits for you", f"https://kicks.example/{number}"


def _check(successes: Iterable[bool], expected: int) -> None:
    accepted = sum(successes)
    if accepted != expected:
        raise RuntimeError(f"{accepted} of {expected} messages were accepted")


def _measured(messages: int, start: float, processor: float) -> dict[str, float]:
    seconds = time.perf_counter() - start
    return {
        "msgs_per_s": messages / seconds,
        "seconds": seconds,
        "processor_us_per_msg": (time.process_time() - processor) / messages * 1e6,
    }
