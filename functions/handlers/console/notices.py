"""What a form did, told on the page that follows; signed in its address, so that no link puts words into it."""

from collections.abc import Iterable, Sequence
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from functions import bootstrap
from functions.handlers.console.visit import Visit

_FIELD = "notices"


def with_notices(path: str, notices: Iterable[str]) -> dict[str, str]:
    """Return the query that tells sentences on the page at `path`; an empty one where there are none."""
    told = list(dict.fromkeys(notices))
    if not told:
        return {}
    text = _serializer().dumps([path, told])
    return {_FIELD: text if isinstance(text, str) else text.decode()}


def notices_of(visit: Visit) -> Sequence[str]:
    """Return the sentences that the page is to tell; none where the console did not write them for this page."""
    try:
        path, told = _read(visit.asked(_FIELD))
    except (BadSignature, ValueError, TypeError):
        return ()
    return told if path == visit.request.path else ()


def _read(text: str) -> Any:
    return _serializer().loads(text)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(bootstrap.signing_key(), salt="tminus console notices")
