"""Text of people may run from right to left, or have U+202E, which turns what follows it: it never turns the page."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest

from functions.handlers.console.forms.form_fields import push_fields
from functions.handlers.console.forms.widgets import Kind
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Visitor

TURNS = "\u202e"
EDIT = "/recipes/welcome/edit"
_VOID = {"meta", "link", "input", "br", "img", "rect", "line", "circle", "polyline"}
_WITHOUT_BIDI = {"title", "option"}
"""Elements of plain text that browsers isolate."""


class Turned(HTMLParser):
    """The texts with U+202E that stand in no element of a direction of their own, and how many stand in one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loose: list[str] = []
        self.isolated = 0
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input" and values.get("type") in (None, "text") and values.get("dir") != "auto":
            self.loose += [text for text in (values.get("value") or "",) if TURNS in text]
        if tag not in _VOID:
            self._open.append((tag, tag == "bdi" or tag in _WITHOUT_BIDI or values.get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if TURNS in data:
            isolated = any(each for _, each in self._open)
            self.isolated += isolated
            self.loose += [] if isolated else [data]


@pytest.fixture
def turning(lab: Lab) -> Lab:
    """A recipe with such texts, in its window to cancel."""
    content = {"data": {"note": f"{TURNS}d"}, "ios": {"subtitle": f"{TURNS}s"}}
    one = push(1, title=f"{TURNS}title", body=f"{TURNS}body [[var:name]]", **content)
    lab.save(recipe(name=f"{TURNS}name", description=f"{TURNS}words", pushSequence=[one]))
    lab.run_to(SEND_AT - timedelta(minutes=1))
    return lab


@pytest.mark.slow
def test_no_text_turns_the_rest_of_a_page(turning: Lab, visitor: Visitor) -> None:
    send = f"/executions/{turning.id}"
    visitor.send(f"{send}/confirm", f"{send}/cancel", {"reason": f"{TURNS}reason"})
    pages = ("/", "/recipes", "/recipes/welcome", EDIT, "/recipes/welcome/run", "/executions", send)
    for path in (*pages, "/calendar", "/audit?recipe=welcome", "/recipes/welcome/delete"):
        found = Turned(visitor.open("GET", path).text)
        assert (found.loose, bool(found.isolated)) == ([], True), path


@pytest.mark.usefixtures("turning")
def test_each_field_of_a_text_has_the_direction_of_its_text(visitor: Visitor) -> None:
    elements = visitor.get(EDIT).elements
    fields = {values.get("name"): values for tag, values in elements if tag in ("input", "textarea")}
    written = [path for path, field in push_fields().items() if field.kind in (Kind.TEXT, Kind.AREA, Kind.JSON)]
    assert {"title", "body", "ios.subtitle", "translations"} <= set(written)
    for path in written:
        name = f"pushSequence[0].{path}"
        assert fields[name].get("dir") == "auto" or fields[name].get("type") == "hidden", name
