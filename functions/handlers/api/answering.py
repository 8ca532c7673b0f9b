"""Answers: `{success, data, message}`, `{success: false, message, errors}`, and plain files."""

import json
from collections.abc import Mapping

from flask import Response

from functions.handlers.api.route import Call, Reply
from functions.handlers.http.as_json import as_json
from functions.handlers.http.errors import Refusal
from functions.handlers.http.headers import NO_SNIFFING, content_security_policy
from functions.logs import log
from functions.usecases.reports.field_at_fault import fields_at_fault

_DATA = {
    "Cache-Control": "private, no-cache",
    **NO_SNIFFING,
    **content_security_policy(),
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization",
}
_JSON = "application/json"


def answered(call: Call, reply: Reply) -> Response:
    """Return the HTTP answer for a reply; 304 if the client already has the same version."""
    etag = f'"{reply.etag}"' if reply.etag else ""
    headers = {**_DATA, **({"ETag": etag} if etag else {}), **reply.headers}
    if etag and call.request.method in ("GET", "HEAD") and call.request.if_none_match.contains_weak(reply.etag):
        return Response(status=304, headers=headers)
    if reply.content is not None:
        return Response(reply.content, status=reply.status, headers=headers, content_type=reply.content_type)
    if callable(reply.data):
        return answered(call, reply.data())
    body = {"success": True, "data": as_json(reply.data), "message": reply.message}
    if reply.page is not None:
        body["pagination"] = vars(reply.page)
    return _json(reply.status, body, headers)


def refused(refusal: Refusal) -> Response:
    """Return the answer of a request that is not served."""
    log.info(refusal.logged, extra={"action": "refused", "status": refusal.status})
    errors = as_json(fields_at_fault(refusal.errors))
    body = {"success": False, "code": refusal.code.value, "message": refusal.message, "errors": errors}
    return _json(refusal.status, body, {**_DATA, "Cache-Control": "no-store", **refusal.headers})


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text.encode("utf-8", "backslashreplace"), status=status, headers=headers, content_type=_JSON)
