"""What a call of the API is: where it is, who may make it, what it takes, what it gives, and what serves it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Annotated, Any

from flask import Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from werkzeug.datastructures import FileStorage

from functions.domain.errors import BadFields, FieldError
from functions.domain.roles import Caller, Role
from functions.ports import Ports

MOST_BODY_BYTES = 1_000_000
"""Twice the largest recipe that can be stored."""


class Model(BaseModel):
    """What a call takes, in camelCase; `Query` is for what stands in an address."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, strict=True, frozen=True)


class Query(Model):
    """The parameters behind an address's question mark, which are text."""

    model_config = ConfigDict(strict=False)


class Form(Model):
    """The fields of a multipart form, which are text, and its files."""

    model_config = ConfigDict(strict=False)


Upload = Annotated[Any, Field(json_schema_extra={"type": "string", "format": "binary"})]
"""A file of a form."""


def uploaded(file: object) -> IO[bytes]:
    """Return the content of a form's file, which lies on disk; BadFields where the field holds none."""
    if not isinstance(file, FileStorage):
        raise BadFields([FieldError("file", "must be a file: a part of the form with a filename")])
    return file.stream


class Paging(Query):
    """Which page of a list."""

    limit: int = Field(default=100, ge=1, le=500, description="How many entries at most.")
    cursor: str = Field(default="", description="Where the page begins: `pagination.next` of the page before.")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that has come in: who makes it, and what it says, checked against the route's models."""

    ports: Ports
    caller: Caller
    path: Mapping[str, str]
    query: Any
    body: Any
    request: Request

    @property
    def key(self) -> str:
        """The Idempotency-Key; empty where the client names none."""
        return self.request.headers.get("Idempotency-Key", "").strip()

    @property
    def if_match(self) -> tuple[str, ...] | None:
        """The ETags of which the document must have one, `*` for any; None where the client names none."""
        return _etags(self.request.headers.get("If-Match"))


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered: `data` in the envelope, or a `content` of another type than JSON, perhaps piece by piece.

    `data` may be a function that makes the reply: it is not called for a client that has the version `etag` already.
    What it makes names the version that it shows, which may be a later one.
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
    """Where an answered page of a list ends: the `cursor` of the next one, None on the last; `total` where known."""

    limit: int
    next: str | None
    total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Route:
    """One call.

    `least` is the role that it takes; None: everybody may. `answer` is the type of `data`, a dataclass that `as_json`
    writes or a schema of recipes, or the content types of what is answered instead of the envelope. `refusals` are
    the statuses that it may answer beside those that every call may. A body is JSON that fits `body`; `form` is the
    model of a multipart form that may come instead. With `keyed` a client may send an Idempotency-Key; with `etag`
    the answer names its version, and with `paged` its page. `later` calls may also answer 202, where the work goes on
    after the answer; `file` is the type of what may be answered instead of the envelope, where the query asks for it.
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

    @property
    def name(self) -> str:
        """The name that clients made from the document know the call by."""
        return self.serve.__name__

    @property
    def group(self) -> str:
        """The part of the document that the call stands in: the module that serves it."""
        return self.serve.__module__.rpartition(".")[2]


def _etags(header: str | None) -> tuple[str, ...] | None:
    if header is None:
        return None
    return tuple(tag.strip().strip('"') for tag in header.split(","))
