"""Answers of the console: pages, parts of pages, redirects, and downloads."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response

from functions.handlers.console.rendering import render
from functions.handlers.console.visit import Visit
from functions.handlers.http.streaming import begun

STOP_POLLING = 286
"""The status with which htmx shows an answer and stops polling: htmx.org/docs/#polling."""
_NOW = "X-Console-Now"


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    return html(render(visit, template, values), status)


def html(text: str, status: int) -> Response:
    """Return an HTML answer."""
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def part(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a part of a page that replaces the current one, with its instant."""
    response = page(visit, template, status=status, **values)
    response.headers[_NOW] = visit.now.isoformat()
    return response


def unchanged(visit: Visit) -> Response:
    """Answer that the page is up to date."""
    return Response(status=204, headers={_NOW: visit.now.isoformat()})


def to(visit: Visit, path: str, **query: str) -> Response:
    """Redirect to a page after a form, so that reloading it does not send the form again."""
    address = visit.root + quote(path) + (f"?{urlencode(query)}" if query else "")
    if visit.by_htmx:
        return Response(status=204, headers={"HX-Redirect": address})
    return Response(status=303, headers={"Location": address})


def download(name: str, blocks: Iterator[bytes]) -> Response:
    """Return a CSV download in pieces. An error before the first piece is raised here."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(begun(blocks), headers=headers, content_type="text/csv; charset=utf-8")
