"""What a request to Cloud Storage's JSON API does, and which rights that takes.

cloud.google.com/storage/docs/access-control/iam-json has the permissions, .../iam-roles the roles.
"""

import email
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

_PLACE = re.compile(r"/(?P<kind>upload/|download/)?storage/v1/b/(?P<bucket>[^/]+)(?P<objects>/o(/(?P<name>[^/]+))?)?")
_OF_OBJECTS = {"GET": "get", "DELETE": "delete", "PATCH": "update", "PUT": "update"}

ROLES: Mapping[str, frozenset[str]] = {
    "roles/storage.objectViewer": frozenset({"storage.objects.get", "storage.objects.list"}),
    "roles/storage.objectCreator": frozenset({"storage.objects.create"}),
    "roles/storage.objectUser": frozenset(
        {f"storage.objects.{verb}" for verb in ("create", "delete", "get", "list", "update")}
    ),
    "roles/storage.legacyBucketReader": frozenset({"storage.buckets.get", "storage.objects.list"}),
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A permission that a request takes, on an object or, where `name` is empty, on the bucket.

    `once` says that a new object must not replace an existing one.
    """

    permission: str
    bucket: str
    name: str = ""
    once: bool = False

    @property
    def creates(self) -> bool:
        """Whether the request makes an object."""
        return self.permission == "storage.objects.create"


def operation_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Operation | None:
    """Return what a request does; None for one that continues an upload, or that nothing here describes."""
    parts = urlsplit(path)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = _PLACE.fullmatch(parts.path)
    if found is None or "upload_id" in asked:
        return None
    bucket, name = unquote(found["bucket"]), unquote(found["name"] or "")
    if found["kind"] == "upload/":
        name = asked.get("name") or _named(headers, body)
        once = asked.get("ifGenerationMatch") == "0"
        return Operation(permission="storage.objects.create", bucket=bucket, name=name, once=once)
    if not found["objects"]:
        return Operation(permission="storage.buckets.get", bucket=bucket)
    if not name:
        return Operation(permission="storage.objects.list", bucket=bucket)
    return Operation(permission=f"storage.objects.{_OF_OBJECTS[method]}", bucket=bucket, name=name)


def _named(headers: Mapping[str, str], body: bytes) -> str:
    """Return the name in the metadata of an upload."""
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if kind.startswith("multipart/"):
        message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        first = message.get_payload(0)
        body = bytes(first.get_payload(decode=True)) if isinstance(first, email.message.Message) else b""
    return str(json.loads(body or b"{}").get("name", ""))
