"""JSON with slots: what all messages of a push share is written once, and each message only fills in its texts."""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring, encode_basestring_ascii
from operator import itemgetter

_NONCE = secrets.token_hex(8)
"""Makes a slot that no text of a recipe can look like."""
_SLOT = re.compile(rf'"{_NONCE}:(\d+)"')

Filler = Callable[[Sequence[str]], str]


def slot(place: int) -> str:
    """Return what stands for the text at a place, where a JSON document has that text and nothing else."""
    return f"{_NONCE}:{place}"


def filler(document: object, *, ascii_only: bool) -> Filler:
    """Return a function that writes a JSON document, given the texts of its slots by their places."""
    text = json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":"))
    pieces = _SLOT.split(text)
    frame = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
    places = list(map(int, pieces[1::2]))
    quoted = encode_basestring_ascii if ascii_only else encode_basestring
    if len(places) < 2:  # itemgetter of one place would return a text
        return lambda texts: frame % tuple(quoted(texts[place]) for place in places)
    chosen = itemgetter(*places)
    return lambda texts: frame % tuple(map(quoted, chosen(texts)))
