"""Routes of the API: address, required role, request, answer, and the function that serves the call."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Annotated, Any

from flask import Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from werkzeug.datastructures import FileStorage

from functions.domain.access import Subject
from functions.domain.errors import BadFields, FieldError
from functions.domain.roles import Caller, Role
from functions.ports import Ports

MOST_BODY_BYTES = 1_000_000
"""Twice the largest recipe that can be stored."""


class Model(BaseModel):
    """A request body, in camelCase. `Query` is for parameters in the address."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, strict=True, frozen=True)


class Query(Model):
    """The query parameters of an address, which are text."""

    model_config = ConfigDict(strict=False)


class Form(Model):
    """The fields of a multipart form, which are text, and its files."""

    model_config = ConfigDict(strict=False)


Upload = Annotated[Any, Field(json_schema_extra={"type": "string", "format": "binary"})]
"""A file of a form."""


def uploaded(file: object) -> IO[bytes]:
    """Return the content of a form's file, which is on disk; BadFields if the field has no file."""
    if not isinstance(file, FileStorage):
        raise BadFields([FieldError("file", "must be a file: a part of the form with a filename")])
    return file.stream


class Paging(Query):
    """The page of a list."""

    limit: int = Field(default=100, ge=1, le=500, description="The most entries to return.")
    cursor: str = Field(default="", description="Where the page begins: `pagination.next` of the page before.")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request: its caller and its content, validated by the route's models."""

    ports: Ports
    caller: Caller
    path: Mapping[str, str]
    query: Any
    body: Any
    request: Request

    @property
    def key(self) -> str:
        """The Idempotency-Key; empty if the client sends none."""
        return self.request.headers.get("Idempotency-Key", "").strip()

    @property
    def if_match(self) -> tuple[str, ...] | None:
        """The ETags of which the document must have one, `*` for any; None without If-Match."""
        return _etags(self.request.headers.get("If-Match"))


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer: `data` in the envelope, or a `content` of another type than JSON, perhaps in pieces.

    `data` may be a function that makes the reply. It is not called if the client already has the version `etag`. Its
    reply has its own ETag, which may be of a later version.
    """

    data: Any = None
    message: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Iterable[bytes] | None = None
    content_type: str = "application/json"
    etag: str = ""
    page: "Page | None" = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """The pagination of an answer: the `cursor` of the next page, None on the last one, and the `total` if known."""

    limit: int
    next: str | None
    total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Route:
    """One call.

    `least` is the required role; None: no role is required. `answer` is the type of `data`, a dataclass for `as_json`
    or a schema of recipes, or the content types of an answer without the envelope. `refusals` are statuses besides
    those of every call. `body` is the model of a JSON body, and `form` that of a multipart form, which a client can
    send instead. With `keyed` a client can send an Idempotency-Key, with `etag` the answer has its version, and with
    `paged` its page. A `later` call can also answer 202, if the work goes on after the answer. `file` is the type of
    an answer without the envelope, if the query asks for it. `reads` returns the subject whose personal data a call
    reads, for the access log, or None for a call that reads none; a route without it never reads any. An `expensive`
    call queries the user data: it is limited in time, and in number for each caller.
    """

    method: str
    path: str
    least: Role | None
    summary: str
    serve: Callable[[Call], Reply]
    answer: Any
    query: type[Query] = Query
    body: Any = None
    form: type[Model] | None = None
    status: int = 200
    later: bool = False
    file: str = ""
    refusals: tuple[int, ...] = ()
    keyed: bool = False
    etag: bool = False
    paged: bool = False
    most_body_bytes: int = MOST_BODY_BYTES
    reads: Callable[[Call], Subject | None] | None = None
    expensive: bool = False

    @property
    def name(self) -> str:
        """The name of the call in generated clients."""
        return self.serve.__name__

    @property
    def group(self) -> str:
        """The section of the document: the module that serves the call."""
        return self.serve.__module__.rpartition(".")[2]


def _etags(header: str | None) -> tuple[str, ...] | None:
    if header is None:
        return None
    return tuple(tag.strip().strip('"') for tag in header.split(","))
