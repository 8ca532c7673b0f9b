"""The sizes of the messages of a push, as FCM counts them."""

import json
from collections.abc import Mapping
from json.encoder import encode_basestring

from functions.domain.push.links import LINK_KEY
from functions.domain.recipe.document import RecipePush

PAYLOAD_LIMIT_BYTES = 4_096
"""FCM limits a message's payload: firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type."""
_BYTES_A_CHARACTER = 6
"""The most bytes of a character in JSON: a control character is written as six."""


class Payload:
    """Measures the messages of a push: notification and data, in UTF-8 bytes of JSON.

    What all messages share is counted once per push. Messages have a link if the push has one.
    """

    def __init__(self, push: RecipePush) -> None:
        self._data = push.data
        data = {**({} if push.deep_link is None else {LINK_KEY: ""}), **push.data}
        notification = {"notification": {"title": "", "body": ""}}
        self._frame_bytes = _json_bytes({**notification, "data": data} if data else notification)

    def size(self, title: str, body: str, deep_link: str | None) -> int:
        """Return the size of a message with these texts."""
        return self._frame_bytes + sum(_bytes(encode_basestring(text)) - 2 for text in (title, body, deep_link or ""))

    def largest(self, texts: Mapping[str, str]) -> str:
        """Return the field with the largest text; `texts` are keyed by field."""
        sizes = {"data": _json_bytes(self._data), **{name: _bytes(text) for name, text in texts.items()}}
        return max(sizes, key=sizes.__getitem__)

    def fits(self, title: str, body: str, deep_link: str | None) -> bool:
        """Return whether FCM accepts the message.

        The exact size is counted only if the message could be too large.
        """
        characters = len(title) + len(body) + len(deep_link or "")
        at_most = self._frame_bytes + characters * _BYTES_A_CHARACTER
        return at_most <= PAYLOAD_LIMIT_BYTES or self.size(title, body, deep_link) <= PAYLOAD_LIMIT_BYTES


def _json_bytes(value: object) -> int:
    return _bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
