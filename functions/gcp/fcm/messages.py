"""The body of a request to FCM."""

from collections.abc import Callable
from datetime import datetime, timedelta

from functions.domain.push import fcm_message
from functions.domain.push.outcomes import Envelope, Message

Writer = Callable[[Message], bytes]
"""Writes the request body of one message."""


def message_writer(envelope: Envelope, now: datetime, time_to_live: timedelta) -> Writer:
    """Return the writer of the requests of a push, one for each message."""
    write, end = (
        fcm_message.message_writer(envelope, now, time_to_live),
        ',"validate_only":true}' if envelope.dry_run else "}",
    )
    return lambda message: f'{{"message":{write(message)}{end}'.encode()
