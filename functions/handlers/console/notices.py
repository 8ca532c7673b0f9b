"""Sentences about what a form did, shown on the next page.

Its address carries and signs them, so no link can fake them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from functions import bootstrap
from functions.handlers.console.visit import Visit

_FIELD = "notices"


def with_notices(path: str, notices: Iterable[str]) -> dict[str, str]:
    """Return the query that shows sentences on the page at `path`; an empty one if there are none."""
    sentences = list(dict.fromkeys(notices))
    if not sentences:
        return {}
    text = _serializer().dumps([path, sentences])
    return {_FIELD: text if isinstance(text, str) else text.decode()}


def notices_of(visit: Visit) -> Sequence[str]:
    """Return the sentences to show on the page; none if the console did not write them for this page."""
    try:
        path, sentences = _read(visit.asked(_FIELD))
    except (BadSignature, ValueError, TypeError):
        return ()
    return sentences if path == visit.request.path else ()


def _read(text: str) -> Any:
    return _serializer().loads(text)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(bootstrap.signing_key(), salt="tminus console notices")
