"""The page behind an alert's cancel link: GET asks, POST cancels.

The token in the address is the only authentication. Link previews, mail scanners and prefetching browsers only send
GET, so they change nothing.
"""

from collections.abc import Mapping
from io import BytesIO

from flask import Request, Response

from functions import bootstrap, logs
from functions.domain.errors import Misconfigured, TminusError, Transient
from functions.handlers.console.cancel.page import STYLE_HASH, page, sorry
from functions.handlers.http.callers import PROXY_ASSERTION
from functions.handlers.http.errors import unexpected
from functions.handlers.http.headers import NO_SNIFFING, content_security_policy, transport_security
from functions.ports import Ports
from functions.usecases.alerting.cancel_by_link import Seen, Standing, cancel_by_link, look_at_link

CANCEL_LINKS = "/cancel/"
"""The beginning of every cancel link's path."""
_STATUSES: Mapping[Standing, int] = {
    Standing.OPEN: 200,
    Standing.DONE: 200,
    Standing.USED: 410,
    Standing.LIVE: 409,
    Standing.OVER: 410,
    Standing.EXPIRED: 410,
    Standing.BAD: 404,
}
_HEADERS: Mapping[str, str] = {
    **content_security_policy(style_src=f"'{STYLE_HASH}'", form_action="'self'"),
    **NO_SNIFFING,
    "Referrer-Policy": "no-referrer",  # the address is a key
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


def handle_cancel_link(request: Request) -> Response:
    """Answer /cancel/TOKEN with a page for people. The body is not read."""
    request.stream = BytesIO()
    response = _answer(request)
    response.headers.update(transport_security(request))
    return response


def _answer(request: Request) -> Response:
    if request.method not in ("GET", "HEAD", "POST"):
        response = _respond(405, sorry("That does not work", "Open the link in a browser."))
        response.headers["Allow"] = "GET, HEAD, POST"
        return response
    token = request.path.removeprefix(CANCEL_LINKS)
    with logs.context(function="console"):
        try:
            ports = bootstrap.ports()
            seen = _cancel(ports, request, token) if request.method == "POST" else look_at_link(ports, token)
        except Misconfigured as error:
            logs.log.error(str(error), extra={"action": "misconfigured", "setting": error.setting})
            return _respond(503, sorry("That does not work now", f"Nothing was cancelled: {error.public_message}."))
        except Transient as error:
            logs.log.warning(str(error), extra={"action": "deliver_again"})
            return _respond(503, sorry("That did not work just now", "Nothing is lost: load this page again."))
        except TminusError as error:
            logs.log.error(str(error), extra={"action": "gave_up", "error": type(error).__name__})
            return _respond(500, sorry("That did not work", "Nothing was cancelled. Cancel the send in the console."))
        except Exception as error:
            words = unexpected(error).message
            return _respond(500, sorry("That did not work", f"Cancel the send in the console: {words}."))
        execution = seen.execution.id if seen.execution else ""
        extra = {"action": "cancel_link", "standing": seen.standing.value, "execution": execution}
        logs.log.info(f"cancel link: {request.method}", extra=extra)
        return _respond(_STATUSES[seen.standing], page(seen, ports.clock.now()))


def _cancel(ports: Ports, request: Request, token: str) -> Seen:
    """Cancel by the link, and record who did where a proxy asserts it. The link alone is enough to cancel."""
    try:
        visitor = ports.callers.asserted(request.headers.get(PROXY_ASSERTION))
    except Transient:
        visitor = ""
    return cancel_by_link(ports, token, by=visitor)


def _respond(status: int, text: str) -> Response:
    response = Response(text, status=status, content_type="text/html; charset=utf-8")
    response.headers.update(_HEADERS)
    return response
