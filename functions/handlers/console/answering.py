"""Answers of the console: pages, parts of pages, the way to another page, and files to keep."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response

from functions.handlers.console.rendering import render
from functions.handlers.console.visit import Visit
from functions.handlers.http.streaming import begun

STOP_POLLING = 286
"""The status by which htmx shows an answer and asks no more: htmx.org/docs/#polling."""
_NOW = "X-Console-Now"


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    return html(render(visit, template, values), status)


def html(text: str, status: int) -> Response:
    """Return a text in HTML as an answer."""
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def part(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a part of a page, to take the place of what is there; it says which instant it is of."""
    response = page(visit, template, status=status, **values)
    response.headers[_NOW] = visit.now.isoformat()
    return response


def unchanged(visit: Visit) -> Response:
    """Say that the visitor sees what there is to see."""
    return Response(status=204, headers={_NOW: visit.now.isoformat()})


def to(visit: Visit, path: str, **query: str) -> Response:
    """Send the visitor on to a page after a form was done, so that loading it again does nothing."""
    address = visit.root + quote(path) + (f"?{urlencode(query)}" if query else "")
    if visit.by_htmx:
        return Response(status=204, headers={"HX-Redirect": address})
    return Response(status=303, headers={"Location": address})


def download(name: str, blocks: Iterator[bytes]) -> Response:
    """Return a CSV to keep, piece by piece; what fails at once, before the first piece, is raised here."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(begun(blocks), headers=headers, content_type="text/csv; charset=utf-8")
