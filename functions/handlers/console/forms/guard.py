"""Protect forms against forgery: the browser names the origin, and a token proves the visitor and the form.

A signed token is valid for one visitor and one address, so a leaked token is useless elsewhere. It is valid for a
week. A page that was open longer has to be reloaded.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask import Request
from itsdangerous import BadSignature

from functions.domain.errors import Forbidden
from functions.handlers.console.signing import read_signed, signed
from functions.handlers.console.visit import MOST_FORM_BYTES, Visit
from functions.handlers.http.callers import body_fits
from functions.handlers.http.errors import Refused

FIELD = "csrf"
_PURPOSE = "form"
_LASTS = timedelta(days=7)
_FORM = "application/x-www-form-urlencoded"
_WITH_FILES = "multipart/form-data"
_MOST_PARTS = 20


def form_token(visit: Visit, path: str) -> str:
    """Return the token for a form that is sent to a path below the console's root."""
    until = int((visit.now + _LASTS).timestamp())
    return signed(_PURPOSE, [visit.caller.name, path, until])


def check_origin(request: Request) -> None:
    """Raise Forbidden unless the browser says that a page of the console sends the form.

    Only browsers can set Sec-Fetch-Site, pages cannot (w3.org/TR/fetch-metadata). Older browsers send the Origin of
    each form.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site != "same-origin":
        raise Forbidden("this form was sent from another site, so nothing was done")
    if site is None and (origin is None or urlsplit(origin).netloc != request.host):
        raise Forbidden("the browser does not say that this form comes from the console, so nothing was done")


def read_form(request: Request, upload_bytes: int = 0) -> None:
    """Read the form; Refused if it is too large, or not a form. Files go to disk if `upload_bytes` allows any."""
    with_files = bool(upload_bytes) and request.mimetype == _WITH_FILES
    if request.mimetype != _FORM and not with_files:
        raise Refused(415, "send a form of the console")
    most = upload_bytes + MOST_FORM_BYTES if with_files else MOST_FORM_BYTES
    request.max_form_memory_size, request.max_form_parts = MOST_FORM_BYTES + 1, _MOST_PARTS
    if not body_fits(request, most, parsed_later=with_files):
        raise Refused(413, f"the form is too large; at most {most:,} bytes are read")
    if any(_broken(text) for pair in request.form.items(multi=True) for text in pair):
        raise Refused(400, "the form is not Unicode text")


def check_token(visit: Visit) -> None:
    """Raise Forbidden unless the form has a valid token for this visitor and this address."""
    try:
        name, path, until = read_signed(_PURPOSE, visit.request.form.get(FIELD, ""))
    except (BadSignature, ValueError, TypeError):
        raise Forbidden("this page is too old: reload it, then submit the form again") from None
    if (name, path) != (visit.caller.name, visit.request.path):
        raise Forbidden("this form was made for another page or another visitor: reload the page")
    if datetime.fromtimestamp(until, UTC) < visit.now:
        raise Forbidden("this page has been open for too long: reload it, then submit the form again")


def _broken(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() != text
