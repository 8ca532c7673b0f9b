"""The console's own files: stylesheet and scripts, named by their content, so that browsers may keep them."""

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
NAMES = ("console.css", "console.js", "htmx.min.js", "icon.svg")
ASSETS = "/assets/"
_KEPT = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file, and the same compressed."""

    content: bytes
    compressed: bytes
    content_type: str
    digest: str


@cache
def asset(name: str) -> Asset:
    """Return a file of the console; KeyError where it has no such file."""
    if name not in NAMES:
        raise KeyError(name)
    content = (files("functions.handlers.console") / "static" / name).read_bytes()
    return Asset(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        content_type=_TYPES[name.rpartition(".")[2]],
        digest=hashlib.sha256(content).hexdigest()[:16],
    )


def address(name: str) -> str:
    """Return where a file is, below the console's root; another address once its content is another."""
    return f"{ASSETS}{asset(name).digest}/{name}"


def serve_asset(request: Request) -> Response | None:
    """Return a file; None where there is none of that name and content."""
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
