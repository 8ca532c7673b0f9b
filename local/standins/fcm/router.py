"""Decide the answer to each request, and record the request."""

import json
from collections.abc import Mapping
from typing import Any

from local.standins.fcm.access_tokens import AccessTokens
from local.standins.fcm.answer import Answer, Delivery
from local.standins.fcm.answers import HTML_NOT_FOUND, INVALID_JSON, PERMISSION_DENIED
from local.standins.fcm.fault_plan import FaultPlan
from local.standins.fcm.record import Record, Request

_OWN_BODY = (Delivery.WHOLE, Delivery.CUT)


class Router:
    """FCM without the network."""

    def __init__(self, *, project: str, plan: FaultPlan, access_tokens: AccessTokens) -> None:
        self.record = Record()
        self.plan = plan
        self.access_tokens = access_tokens
        self._project = project
        self._path = f"/v1/projects/{project}/messages:send"

    def take(
        self, headers: dict[str, str], content: bytes, *, connection: int, stream: int, now: float
    ) -> tuple[Answer, bytes]:
        """Record a whole request; return its answer and the answer's body."""
        authorization = headers.pop("authorization", "")
        body = _parsed(content)
        token = _device_token(body)
        answer = self._refusal(headers, body, authorization, now) or self.plan.answer(token)
        request = Request(
            token=token,
            body=body,
            headers=headers,
            access_token=self.access_tokens.number(authorization),
            connection=connection,
            stream=stream,
            at_seconds=now,
            answered=answer.name,
        )
        self.record.add(request)
        return answer, self._content(answer, request)

    def _refusal(self, headers: Mapping[str, str], body: Any, authorization: str, now: float) -> Answer | None:
        path = headers.get(":path", "")
        if headers.get(":method") != "POST" or not path.startswith("/v1/projects/"):
            return HTML_NOT_FOUND
        refusal = self.access_tokens.refusal(authorization, now)
        if refusal:
            return refusal
        if path != self._path:
            return PERMISSION_DENIED if path.endswith("/messages:send") else HTML_NOT_FOUND
        return None if isinstance(body, dict) else INVALID_JSON

    def _content(self, answer: Answer, request: Request) -> bytes:
        if answer.body is not None or answer.delivery not in _OWN_BODY:
            return answer.body or b""
        dry = request.body.get("validate_only") or request.body.get("validateOnly")
        name = "fake_message_id" if dry else f"0:{request.connection}-{request.stream}%fake"
        return b'{\n  "name": "projects/%s/messages/%s"\n}\n' % (self._project.encode(), name.encode())


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _device_token(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    token = (message.get("token") or message.get("fid")) if isinstance(message, dict) else None
    return token if isinstance(token, str) else ""
