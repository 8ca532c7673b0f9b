"""The sizes of the messages of a push, as FCM counts them."""

import json
from collections.abc import Mapping, Sequence

from functions.domain.push.fcm_message import TM_KEY, buttons_writer, content
from functions.domain.push.slots import filler
from functions.domain.recipe.push_fields import RecipePush

PAYLOAD_LIMIT_BYTES = 4_096
"""FCM limits a message's payload: firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type."""
_BYTES_A_CHARACTER = 6
"""The most bytes of a character in JSON: a control character is written as six."""
_MOST_USES = 3
"""How often a text counts at most: that of a button once for browsers, and in the data with its escapes escaped.

The deep link counts twice where browsers get it too.
"""
_LONGEST_TM = "x" * 140
"""As long as a recipe's id of 100 characters, an instant, a kind of execution, a push and an arm together."""


class Payload:
    """Measures the messages of a push, in UTF-8 bytes of JSON: all that a phone or the app gets.

    The parts for Android, iOS and browsers all count, although a device gets one of them, and the name of the push
    in `tm` counts with its greatest length. What all messages share is counted once per push.
    """

    def __init__(self, push: RecipePush) -> None:
        shown = content(push)
        shown["data"] = {**shown.get("data", {}), TM_KEY: _LONGEST_TM}
        self._fill, self._write_buttons = filler(shown, ascii_only=False), buttons_writer(push)
        self._frame_bytes = self.size("", "", "", [""] * len(push.more_texts))
        self._most_a_character = _BYTES_A_CHARACTER * (
            _MOST_USES if push.shows_in_browsers or push.ios.subtitle else 1
        )

    def size(self, title: str, body: str, deep_link: str | None, more: Sequence[str] = ()) -> int:
        """Return the size of a message with these texts; `more` are those of `RecipePush.more_texts`."""
        texts = ("", title, body, deep_link or "", *more)
        return _bytes(self._fill((*texts, self._write_buttons(texts)) if self._write_buttons else texts))

    def largest(self, texts: Mapping[str, str]) -> str:
        """Return the field with the largest text; `texts` are keyed by field."""
        data = {name: text for name, text in texts.items() if name.startswith("data.")}
        sizes = {"data": _bytes(json.dumps(data, ensure_ascii=False))} if data else {}
        sizes |= {name: _bytes(text) for name, text in texts.items() if name not in data}
        return max(sizes, key=sizes.__getitem__)

    def fits(self, title: str, body: str, deep_link: str | None, more: Sequence[str] = ()) -> bool:
        """Return whether FCM accepts the message.

        The exact size is counted only if the message could be too large.
        """
        characters = len(title) + len(body) + len(deep_link or "") + sum(map(len, more))
        if self._frame_bytes + characters * self._most_a_character <= PAYLOAD_LIMIT_BYTES:
            return True
        return self.size(title, body, deep_link, more) <= PAYLOAD_LIMIT_BYTES


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
