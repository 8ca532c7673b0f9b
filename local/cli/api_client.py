"""A client of the HTTP API of a running system. It converts errors of the API to Tminus's own."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.domain.errors import BadFields, BadInput, FieldError, Transient

if TYPE_CHECKING:
    import httpx

_TIMEOUT_SECONDS = 120.0
"""Reading and sorting an upload of 100 MB takes a while."""
_CONNECT_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0
_SHORTEST_WAIT_SECONDS = 0.5
_TEMPORARY = (429, 503)
_TOO_LARGE = (
    "Cloud Run takes at most 32 MiB in a request. Put the file into the deployment's bucket, with "
    "gcloud storage cp FILE gs://BUCKET/uploads/FILE, and give that address in place of the file"
)
_PASSWORD = re.compile(r"//[^/?#]*@")
_TOKEN = re.compile(r"[!-~]*")


class NoAnswer(Transient):
    """The system cannot be reached, or the connection broke: the request may or may not have been carried out."""


class NotAllowed(BadInput):
    """The system does not know the caller, or the caller's role is too low."""


class Declined(BadInput):
    """The system does not do it: `status` and `code` of the answer say why, as docs/how-to-use-the-api.md lists."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        self.status, self.code = status, code
        super().__init__(message)


class NotThere(Declined):
    """The recipe or execution does not exist in the system."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a call: the envelope's data and message, and the cursor of the next page."""

    data: Any
    message: str
    etag: str
    status: int
    next: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApiClient:
    """A running system: the address of its function `api`, and the caller's token, if the system needs one.

    While temporary problems (429, 503) last, `call` repeats the request, for at most `patience_seconds` in all.
    """

    url: str
    token: str = ""
    patience_seconds: float = 0.0
    wait: Callable[[float], object] = time.sleep
    connection: "httpx.Client | None" = None

    @contextmanager
    def patient(self) -> "Iterator[ApiClient]":
        """Yield a client for many requests that may be repeated: it keeps its connection, and waits a minute."""
        import httpx  # noqa: PLC0415 - most commands call nothing

        with httpx.Client() as connection:
            yield replace(self, connection=connection, patience_seconds=_PATIENCE_SECONDS)

    def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any) -> Answer:
        """Make a call; `request` are httpx's `json`, `params`, `data` and `files`.

        Raises BadFields for invalid fields, NotThere for a missing recipe or execution, BadInput for other refusals,
        and NoAnswer if the request may have been carried out.
        """
        response = self._response(method, path, headers or {}, request)
        body = _envelope(response)
        if not body["success"]:
            raise _refused(response, body)
        page = body.get("pagination") or {}
        etag = response.headers.get("ETag", "")
        return Answer(
            data=body["data"],
            message=body["message"],
            etag=etag,
            status=response.status_code,
            next=page.get("next"),
        )

    def text(self, path: str) -> str:
        """Return the text of an answer that is not JSON."""
        response = self._response("GET", path, {}, {})
        if response.headers.get("Content-Type", "").startswith("application/json"):
            raise _refused(response, _envelope(response))
        return response.text

    def _response(
        self, method: str, path: str, headers: Mapping[str, str], request: Mapping[str, Any]
    ) -> "httpx.Response":
        left = self.patience_seconds
        for attempt in count():
            response = self._answer(method, path, headers, request)
            pause = _pause_seconds(response, attempt)
            if pause is None or pause > left:
                break
            self.wait(pause)
            left -= pause
        return response

    def _answer(
        self, method: str, path: str, headers: Mapping[str, str], request: Mapping[str, Any]
    ) -> "httpx.Response":
        import httpx  # noqa: PLC0415 - most commands call nothing

        sent, timeout = {**headers, **self._identity()}, httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS)
        send, place = (self.connection or httpx).request, f"--url {shown_url(self.url)}"
        try:
            return send(method, self.url.rstrip("/") + path, headers=sent, timeout=timeout, **request)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise BadInput(f"{place}: {error}") from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            problem = str(error) or type(error).__name__
            raise NoAnswer(f"{place}: {problem}; no system answers there: start it, or correct --url") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"{place}: {error or type(error).__name__}") from None

    def _identity(self) -> dict[str, str]:
        """Return the headers with the token. Cloud Run reads the first one, and leaves the second one whole then."""
        if not _TOKEN.fullmatch(self.token):
            raise BadInput("the token (TMINUS_TOKEN) has a blank, a line break or another character no token has")
        names = ("X-Serverless-Authorization", "Authorization") if self.token else ()
        return dict.fromkeys(names, f"Bearer {self.token}")


def shown_url(url: object) -> str:
    """Return an address without the name and password in it."""
    return _PASSWORD.sub("//", str(url))


def part(name: str) -> str:
    """Return a name as a part of an address; BadInput for one that no address can have: RFC 3986, section 5.2.4."""
    if name in ("", ".", ".."):
        raise BadInput(f"{name!r} is not the id of anything")
    return quote(name, safe="")


def _pause_seconds(response: "httpx.Response", attempt: int) -> float | None:
    """Return the seconds after which to repeat a request; None if that is of no use."""
    asked = response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdecimal() and response.status_code in (409, *_TEMPORARY):
        return max(_SHORTEST_WAIT_SECONDS, float(asked))
    lasting = b'"misconfigured"' in response.content
    return 2.0**attempt if response.status_code in _TEMPORARY and not lasting else None


def _envelope(response: "httpx.Response") -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "success" in body:
        return body
    problem, status = f"{shown_url(response.url)} answered {response.status_code}", response.status_code
    if status in (401, 403):
        raise NotAllowed(f"{problem}: the token (TMINUS_TOKEN) is missing, has expired, or is not for this address")
    if status == 413:
        raise BadInput(f"{problem}: {_TOO_LARGE}")
    if response.is_server_error or status in _TEMPORARY:
        raise NoAnswer(f"{problem}, and not as Tminus does")
    raise BadInput(f"{problem}, and not as Tminus does: is --url right?")


def _refused(response: "httpx.Response", body: Mapping[str, Any]) -> BadInput | Transient:
    message, status, code = body["message"], response.status_code, str(body.get("code", ""))
    if body["errors"]:
        return BadFields([FieldError(error["field"], error["reason"]) for error in body["errors"]])
    if status == 401:
        return NotAllowed(f"{message}; give a token with TMINUS_TOKEN or --token")
    if status == 403:
        return NotAllowed(f"{message}; give the token of another caller with TMINUS_TOKEN or --token")
    if status == 404:
        return NotThere(message, status=status, code=code)
    problem = f"{message} ({status})"
    if response.is_server_error or status in _TEMPORARY:
        return NoAnswer(problem)
    return Declined(problem, status=status, code=code)
