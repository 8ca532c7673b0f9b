"""The compared clients: Tminus's sender, and firebase-admin's two ways to send many messages.

Each function sends so many messages to a sink from a process of its own, after 500 messages to warm up, and returns
the seconds. It raises RuntimeError if a message was not accepted.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
from firebase_admin import credentials, messaging
from google.oauth2.credentials import Credentials
from requests.adapters import HTTPAdapter

from bench.sink import PROJECT, fcm_settings
from functions.domain.push.outcomes import Chunk, Envelope, Message, Outcome
from functions.domain.recipe.push_fields import RecipePush
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.settings import FcmSettings

_BATCH = 500
"""The most that firebase-admin sends in one call."""
_TOKEN_CHARACTERS = 152
_UNPACED = 1e9
_TEXTS = {"title": "[[var:title]]", "body": "[[var:body]]", "deepLink": "[[var:link]]", "layerId": 3}
_ENVELOPE = Envelope(
    execution_id="bench",
    recipe_id="bench",
    push=1,
    test=False,
    dry_run=False,
    content=RecipePush.model_validate(_TEXTS),
)
_RICH = replace(
    _ENVELOPE,
    content=RecipePush.model_validate(
        {
            **_TEXTS,
            "image": "https://img.example/[[var:id]].jpg",
            "buttons": [
                {"id": "open", "title": "Open [[var:id]]", "deepLink": "https://kicks.example/[[var:id]]"},
                {"id": "later", "title": "Later"},
            ],
            "data": {"item": "[[var:id]]", "campaign": "spring"},
            "translations": {tag: {"title": "[[var:t]]", "body": "[[var:b]]"} for tag in ("de", "pt-BR")},
        }
    ),
)
"""A push with an image, buttons, data and translations, each with a value of the user."""
_LANGUAGES = ("", "de", "pt-BR")


def tminus(messages: int, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, float]:
    """FcmSender: chunks of 500 messages, several in progress."""
    return _tminus(messages, fcm_settings(endpoint, ca_file, credentials_file), _ENVELOPE, _plain)


def tminus_rich(messages: int, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, float]:
    """FcmSender with messages that have an image, buttons and data."""
    return _tminus(messages, fcm_settings(endpoint, ca_file, credentials_file), _RICH, _rich)


def _tminus(
    messages: int, settings: FcmSettings, envelope: Envelope, make: Callable[[int], Message]
) -> dict[str, float]:
    sender = FcmSender(settings, SystemClock())
    batches = [[make(n) for n in range(start, min(start + _BATCH, messages))] for start in range(0, messages, _BATCH)]

    def send(some: list[list[Message]]) -> Iterator[bool]:
        chunks = (Chunk(number=n, messages=batch, most_per_second=_UNPACED) for n, batch in enumerate(some))
        for _, outcomes in sender.send(envelope, chunks):
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
    return _send_each_async(endpoint, messages, _firebase_batches(messages))


def send_each_async_rich(messages: int, endpoint: str, ca_file: str, credentials_file: str) -> dict[str, float]:
    """The same with messages that have an image, buttons and data, in one language."""
    del ca_file, credentials_file
    return _send_each_async(endpoint, messages, _firebase_batches(messages, rich=True))


def _send_each_async(endpoint: str, messages: int, batches: list[list[Any]]) -> dict[str, float]:
    app = _firebase_app(endpoint)

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
    messages = [_plain(n) for n in range(_BATCH)]
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


def _firebase_batches(messages: int, *, rich: bool = False) -> list[list[Any]]:
    made = [_firebase_message(n, rich=rich) for n in range(messages)]
    return [made[start : start + _BATCH] for start in range(0, messages, _BATCH)]


def _firebase_message(number: int, *, rich: bool) -> Any:
    token, title, body, link = _texts(number)
    shown, data, web = {}, {"deepLink": link, "tm": _ENVELOPE.attribution}, {}
    if rich:
        opening = {"id": "open", "title": f"Open {number}", "deepLink": f"https://kicks.example/{number}"}
        shown = {"image": f"https://img.example/{number}.jpg"}
        data |= {"item": str(number), "campaign": "spring"}
        data["buttons"] = json.dumps([opening, {"id": "later", "title": "Later"}])
        actions = [(opening["id"], opening["title"]), ("later", "Later")]
        named = [messaging.WebpushNotificationAction(*action) for action in actions]
        web = {"notification": messaging.WebpushNotification(actions=named)}
    key = _ENVELOPE.collapse_key
    return messaging.Message(
        fid=token,
        notification=messaging.Notification(title=title, body=body, **shown),
        data=data,
        android=messaging.AndroidConfig(
            ttl=timedelta(hours=4), priority="high", notification=messaging.AndroidNotification(tag=key)
        ),
        apns=messaging.APNSConfig(headers={"apns-collapse-id": key, "apns-expiration": "1900000000"}),
        webpush=messaging.WebpushConfig(headers={"TTL": "14400", "Topic": key}, **web),
        fcm_options=messaging.FCMOptions(analytics_label=_ENVELOPE.analytics_label),
    )


def _plain(number: int) -> Message:
    return Message(f"user-{number}", *_texts(number))


def _rich(number: int) -> Message:
    opened = f"https://kicks.example/{number}"
    more = (f"https://img.example/{number}.jpg", f"Open {number}", opened, str(number))
    return Message(f"user-{number}", *_texts(number), more, language=_LANGUAGES[number % len(_LANGUAGES)])


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
