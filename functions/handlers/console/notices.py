"""Sentences about what a form did, shown on the next page.

Its address carries and signs them, so no link can fake them.
"""

from collections.abc import Iterable, Sequence

from itsdangerous import BadSignature

from functions.handlers.console.signing import read_signed, signed
from functions.handlers.console.visit import Visit

_FIELD = "notices"


def with_notices(path: str, notices: Iterable[str]) -> dict[str, str]:
    """Return the query that shows sentences on the page at `path`; an empty one if there are none."""
    sentences = list(dict.fromkeys(notices))
    if not sentences:
        return {}
    return {_FIELD: signed(_FIELD, [path, sentences])}


def notices_of(visit: Visit) -> Sequence[str]:
    """Return the sentences to show on the page; none if the console did not write them for this page."""
    try:
        path, sentences = read_signed(_FIELD, visit.asked(_FIELD))
    except (BadSignature, ValueError, TypeError):
        return ()
    return sentences if path == visit.request.path else ()
