"""The console's stylesheet and scripts, named by their content, so that browsers can cache them."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from flask import Request, Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOLDER = files("functions.handlers.console") / "static"
NAMES = tuple(sorted(each.name for each in _FOLDER.iterdir() if each.name.rpartition(".")[2] in _TYPES))
"""The files. A page names those that it needs beside console.css, console.js and htmx.min.js."""
ASSETS = "/assets/"
_KEPT = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file and its compressed form."""

    content: bytes
    compressed: bytes
    content_type: str
    digest: str


@cache
def asset(name: str) -> Asset:
    """Return a file of the console; KeyError if it does not exist."""
    if name not in NAMES:
        raise KeyError(name)
    content = (_FOLDER / name).read_bytes()
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        content_type=_TYPES[name.rpartition(".")[2]],
        digest=hashlib.sha256(content).hexdigest()[:16],
    )


def address(name: str) -> str:
    """Return the address of a file below the console's root, which changes with the content."""
    return f"{ASSETS}{asset(name).digest}/{name}"


def serve_asset(request: Request) -> Response | None:
    """Return a file; None if there is none with that name and content."""
    digest, _, name = request.path.removeprefix(ASSETS).partition("/")
    if name not in NAMES or asset(name).digest != digest:
        return None
    found = asset(name)
    headers = {"Cache-Control": _KEPT, "Vary": "Accept-Encoding"}
    if request.accept_encodings.quality("gzip") > 0:
        return Response(
            found.compressed, headers={**headers, "Content-Encoding": "gzip"}, content_type=found.content_type
        )
    return Response(found.content, headers=headers, content_type=found.content_type)
