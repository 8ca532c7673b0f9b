"""Cloud Storage with its rights: an HTTP proxy between the real client and fake-gcs-server."""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import ClassVar
from urllib.parse import quote

from local.runtime.served import Served
from local.standins.grants import Grant, Grants
from local.standins.storage.forwarding import Answer, forward
from local.standins.storage.operations import ROLES, Operation, operation_of

_ACCOUNT = "/as/"
_TAKEN = "At least one of the pre-conditions you specified did not hold."
BOTH = (412, 403)
"""The answers for an existing name: Cloud Storage gives either to an account that must not delete objects."""


class GuardedStorage(Served):
    """Forwards requests to an emulator while it is entered, if the account in their address may make them.

    A client uses `url_of(account)` as its endpoint. Accounts have the rights that `grants` list on a bucket, in the
    folders of their conditions. A new object whose name is taken is refused with the statuses of `taken`, in turn.
    """

    def __init__(self, emulator: str, grants: Grants, *, taken: Sequence[int] = BOTH) -> None:
        self._emulator, self._grants = emulator, grants
        self._taken, self._lock = cycle(taken), threading.Lock()
        self.refused: list[str] = []
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"_proxy": self})))

    def url_of(self, account: str) -> str:
        """Return the endpoint of an account, by its name without a domain."""
        return f"{self.url}{_ACCOUNT}{account}"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer to a request; its path begins with the account."""
        account, _, rest = path.removeprefix(_ACCOUNT).partition("/")
        operation = operation_of(method, f"/{rest}", headers, body)
        if operation is not None:
            if not self._may(account, operation, operation.permission):
                return self._refuse(403, account, operation, operation.permission)
            if operation.creates and self._exists(operation):
                return self._refuse_taken(account, operation)
        return forward(self._emulator, method, f"/{rest}", headers, body, own=self.url_of(account))

    def _may(self, account: str, operation: Operation, permission: str) -> bool:
        grants = self._grants.of(account, f"bucket {operation.bucket}")
        return any(permission in ROLES.get(grant.role, ()) and _covers(grant, operation) for grant in grants)

    def _exists(self, operation: Operation) -> bool:
        path = f"/storage/v1/b/{operation.bucket}/o/{quote(operation.name, safe='')}"
        return forward(self._emulator, "GET", path, {}, b"", own=self.url).status == HTTPStatus.OK

    def _refuse_taken(self, account: str, operation: Operation) -> Answer:
        """Refuse a name that is taken: replacing an object takes the right to delete it."""
        may_replace = self._may(account, operation, "storage.objects.delete")
        with self._lock:
            status = HTTPStatus.PRECONDITION_FAILED if operation.once and may_replace else next(self._taken)
        return self._refuse(status, account, operation, "storage.objects.delete")

    def _refuse(self, status: int, account: str, operation: Operation, permission: str) -> Answer:
        message = _TAKEN
        if status == HTTPStatus.FORBIDDEN:
            what = f"object {operation.name}" if operation.name else f"bucket {operation.bucket}"
            message = (
                f"{account} does not have {permission} access to the Google Cloud Storage {what}. Permission"
                f" '{permission}' denied on resource (or it may not exist)."
            )
        with self._lock:
            self.refused.append(f"{status} {account} {permission} {operation.name or operation.bucket}")
        error = {"error": {"code": status, "message": message, "errors": [{"message": message, "domain": "global"}]}}
        headers = [("Content-Type", "application/json; charset=UTF-8")]
        return Answer(status=status, headers=headers, body=json.dumps(error).encode())


def _covers(grant: Grant, operation: Operation) -> bool:
    """Return whether a grant's condition holds: one on folders is about objects, and never about the bucket."""
    return not grant.where or (operation.name != "" and operation.name.startswith(grant.folders or ()))


class _Handler(BaseHTTPRequestHandler):
    _proxy: ClassVar[GuardedStorage]
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client has given up
            super().handle()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        answer = self._proxy.answer(self.command, self.path, dict(self.headers), body)
        with suppress(OSError):
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - as http.server wants it

    def log_message(self, *_: object) -> None:
        """Log nothing."""
