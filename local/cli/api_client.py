"""A client of the HTTP API of a running system. It converts errors of the API to Tminus's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.domain.errors import BadFields, BadInput, FieldError, Transient

if TYPE_CHECKING:
    import httpx

_TIMEOUT_SECONDS = 120.0
"""Reading and sorting an upload of 100 MB takes a while."""


class NoAnswer(Transient):
    """The system cannot be reached, or the connection broke: the request may or may not have been carried out."""


class NotThere(BadInput):
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
    """A running system: the address of its function `api`, and the caller's token, if the system needs one."""

    url: str
    token: str = ""

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
        import httpx  # noqa: PLC0415 - most commands call nothing

        sent = {**headers, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        try:
            url = self.url.rstrip("/") + path
            return httpx.request(method, url, headers=sent, timeout=_TIMEOUT_SECONDS, **request)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise BadInput(f"--url {self.url}: {error}") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"--url {self.url}: {error or type(error).__name__}") from None


def part(name: str) -> str:
    """Return a name as a part of an address; BadInput for one that no address can have: RFC 3986, section 5.2.4."""
    if name in ("", ".", ".."):
        raise BadInput(f"{name!r} is not the id of anything")
    return quote(name, safe="")


def _envelope(response: "httpx.Response") -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "success" not in body:
        problem = f"{response.url} answered {response.status_code}, and not as Tminus does"
        raise NoAnswer(problem) if response.is_server_error else BadInput(f"{problem}: is --url right?")
    return body


def _refused(response: "httpx.Response", body: Mapping[str, Any]) -> BadInput | Transient:
    if body["errors"]:
        return BadFields([FieldError(error["field"], error["reason"]) for error in body["errors"]])
    if response.status_code in (401, 403):
        return BadInput(f"{body['message']}; give a token with --token or TMINUS_TOKEN")
    if response.status_code == 404:
        return NotThere(body["message"])
    problem = f"{body['message']} ({response.status_code})"
    return NoAnswer(problem) if response.is_server_error else BadInput(problem)
