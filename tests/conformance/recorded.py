"""Record what Google's clients send: calls over gRPC as their JSON, and requests over HTTP."""

import email
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import requests
from requests.adapters import HTTPAdapter

Answer = Callable[["Sent"], Any]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request over HTTP, with the part of its body that is JSON; None without one."""

    method: str
    url: str
    body: Any


class RecordedHttp(HTTPAdapter):
    """Records requests of a session, and passes them on; with `answer`, it answers them with a JSON value."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self._answer = answer

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        sent = Sent(method=str(request.method), url=str(request.url), body=_json_of(request))
        self.sent.append(sent)
        if self._answer is None:
            return super().send(request, *args, **options)
        response = requests.Response()
        response.status_code, response.url, response.request = 200, str(request.url), request
        response.headers["Content-Type"] = "application/json"
        response._content = json.dumps(self._answer(sent)).encode()
        return response


class RecordedCalls(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Records requests of a channel as JSON, by the names of their methods, and passes them on."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        text = type(request).to_json(
            request, use_integers_for_enums=False, always_print_fields_with_no_presence=False
        )
        self.sent.append((details.method.rpartition("/")[2], json.loads(text)))
        return continuation(details, request)

    def of(self, method: str) -> list[dict[str, Any]]:
        """Return the requests of a method."""
        return [request for name, request in self.sent if name == method]


def _json_of(request: requests.PreparedRequest) -> Any:
    """Return a JSON body, or the first part of a multipart one: the metadata of an upload."""
    kind, body = str(request.headers.get("Content-Type", "")), request.body
    body = body.encode() if isinstance(body, str) else body
    if not isinstance(body, bytes):  # a file, as it is
        return None
    if kind.startswith("application/json") and body:
        return json.loads(body)
    if kind.startswith("multipart/related"):
        message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        return json.loads(message.get_payload(0).get_payload(decode=True))  # type: ignore[union-attr, arg-type]
    return None
