"""FCM messages as JSON. firebase-admin checks the shape once per push; each row only fills in its texts."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any

from firebase_admin import messaging

from functions.domain.push.links import LINK_KEY
from functions.domain.push.outcomes import Envelope, Message

_SLOTS = ("<token>", "<title>", "<body>", "<deep link>")

Writer = Callable[[Message], bytes]
"""Writes the request body of one message."""


def message_writer(envelope: Envelope, now: datetime, time_to_live: timedelta) -> Writer:
    """Return the writer of a push's messages. firebase-admin raises ValueError for a shape that FCM would refuse.

    A message replaces an earlier one of the same push on the device: the notification tag does it on Android,
    `apns-collapse-id` on iOS, Topic in browsers.
    """
    start, before_title, before_body, end = _pieces(envelope, now, time_to_live, linked=False)
    *_, before_link, linked_end = _pieces(envelope, now, time_to_live, linked=True)
    quoted = encode_basestring_ascii

    def write(message: Message) -> bytes:
        token, title, body = quoted(message.token), quoted(message.title), quoted(message.body)
        if message.deep_link is None:
            return f"{start}{token}{before_title}{title}{before_body}{body}{end}".encode()
        link = quoted(message.deep_link)
        return f"{start}{token}{before_title}{title}{before_body}{body}{before_link}{link}{linked_end}".encode()

    return write


def _pieces(envelope: Envelope, now: datetime, time_to_live: timedelta, *, linked: bool) -> list[str]:
    """Return the JSON of a request, cut at the slots of a row's texts: token, title, body and perhaps the link."""
    message = _document(envelope, now, time_to_live, linked=linked)
    token, notification = message.pop("fid"), message.pop("notification")
    data = message.pop("data", {})
    if linked:  # first, because a value of the data may look like a slot
        data = {LINK_KEY: data.pop(LINK_KEY), **data}
    ordered = {"token": token, "notification": {name: notification[name] for name in ("title", "body")}}
    ordered |= {"data": data} if data else {}
    request: dict[str, Any] = {"message": ordered | message}
    if envelope.dry_run:
        request["validate_only"] = True
    text = json.dumps(request, separators=(",", ":"))
    pieces = []
    for slot in _SLOTS[: 4 if linked else 3]:
        piece, _, text = text.partition(json.dumps(slot))
        pieces.append(piece)
    return [*pieces, text]


def _document(envelope: Envelope, now: datetime, time_to_live: timedelta, *, linked: bool) -> dict[str, Any]:
    token, title, body, link = _SLOTS
    expires_at = int((now + time_to_live).timestamp())
    seconds = int(time_to_live.total_seconds())
    message = messaging.Message(
        fid=token,  # FCM expects a registration token in `token`; firebase-admin warns about that name
        notification=messaging.Notification(title=title, body=body),
        data={**({LINK_KEY: link} if linked else {}), **envelope.data} or None,
        android=messaging.AndroidConfig(
            ttl=time_to_live,
            notification=messaging.AndroidNotification(tag=envelope.collapse_key),
        ),
        apns=messaging.APNSConfig(
            headers={"apns-collapse-id": envelope.collapse_key, "apns-expiration": str(expires_at)}
        ),
        webpush=messaging.WebpushConfig(headers={"TTL": str(seconds), "Topic": envelope.collapse_key}),
        fcm_options=messaging.FCMOptions(analytics_label=envelope.analytics_label),
    )
    document: dict[str, Any] = json.loads(str(message))
    return document
