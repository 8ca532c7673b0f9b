"""What holds for every page and form of the console: who comes in, what answers carry, where forms come from."""

import gzip
import re
from importlib.resources import files

import pytest

from functions.domain.audience.segments import Segment
from functions.domain.audit import Action, Deed
from functions.domain.roles import Role
from functions.handlers.console.assets import NAMES, address, asset
from functions.handlers.console.table import ROUTES
from functions.handlers.console.visit import Route
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import SAME_SITE, Page, Visitor

GETS = [route for route in ROUTES if route.method == "GET"]
POSTS = [route for route in ROUTES if route.method == "POST"]


def path_of(route: Route, lab: Lab) -> str:
    return (
        route.path.replace("<execution_id>", lab.id)
        .replace("<recipe_id>", "welcome")
        .replace("<segment_id>", "bobs")
        .replace("<int(max=999):push>", "1")
    )


@pytest.fixture
def running(lab: Lab) -> Lab:
    bobs, deed = Segment(id="bobs", name="Bobs", where={}), Deed(by="ana", at=lab.clock.now(), action=Action.SAVED)
    lab.ports.segments.change("bobs", lambda _: bobs, deed)
    lab.run_to(SEND_AT)
    return lab


@pytest.mark.long
def test_every_page_has_a_strict_policy_and_keeps_it(running: Lab, visitor: Visitor) -> None:
    for route in GETS:
        response = visitor.open("GET", path_of(route, running))
        assert response.status_code in (200, 286, 303, 404, 422), response.text
        assert "script-src 'self'; style-src 'self';" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "Set-Cookie" not in response.headers
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", response.text) == []


@pytest.mark.parametrize("path", ["/", "/nothing", "/assets/nothing", "/cancel/some.token"])
def test_a_browser_that_came_over_tls_stays_on_it(path: str, visitor: Visitor) -> None:
    secure = visitor.open("GET", path, headers={"X-Forwarded-Proto": "https"}).headers
    assert secure.getlist("Strict-Transport-Security") == ["max-age=31536000; includeSubDomains"]
    assert "Strict-Transport-Security" not in visitor.open("GET", path).headers


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.OPERATOR])
def test_every_page_and_form_takes_its_role(role: Role | None, running: Lab, visitor: Visitor) -> None:
    visitor.become(role)
    for route in [route for route in ROUTES if role is None or not role.includes(route.least)]:
        response = visitor.open(route.method, path_of(route, running), headers=SAME_SITE)
        assert response.status_code == 403, route.path
        assert "You can't do this" in Page(response.text).text
        assert running.id not in response.text


@pytest.mark.long
@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
    ids=["from nowhere", "from another site", "from a neighbour", "from an older browser"],
)
def test_no_form_is_taken_from_another_site(headers: dict[str, str], running: Lab, visitor: Visitor) -> None:
    form = visitor.get("/cadence").form("/cadence").fields
    for route in POSTS:
        response = visitor.open("POST", path_of(route, running), data=form, headers=headers)
        assert response.status_code == 403, route.path
        assert "nothing was done" in response.text


@pytest.mark.long
def test_no_form_is_taken_without_its_own_token(running: Lab, visitor: Visitor) -> None:
    page, people = visitor.get("/cadence"), visitor.get("/people")
    for path in [path_of(route, running) for route in POSTS]:
        other = (
            (page if path != "/cadence" else people)
            .form("/cadence" if path != "/cadence" else "/people")
            .fields["csrf"]
        )
        assert len(other[0].rpartition(".")[2]) == 43, "the signature is HMAC-SHA256"
        for fields in ({"mode": "live-send"}, {"csrf": "x"}, {"csrf": other}):
            assert visitor.post(path, fields).status_code == 403, path
    assert running.execution().state.value == "live"
    assert running.ports.recipes.get("welcome") is not None


def test_a_token_is_good_for_its_visitor_only_and_for_a_week(lab: Lab, visitor: Visitor) -> None:
    token = visitor.get("/recipes/welcome").form("/recipes/welcome/pause").fields
    visitor.become(Role.ADMIN, "ben@kicks.example")
    assert "another visitor" in visitor.post("/recipes/welcome/pause", token, status=403).text
    visitor.become(Role.ADMIN)
    lab.clock.advance_to(SEND_AT.replace(day=20))
    assert "open for too long" in visitor.post("/recipes/welcome/pause", token, status=403).text


def test_an_older_browser_is_known_by_the_origin_that_it_names(visitor: Visitor) -> None:
    form = visitor.get("/recipes/welcome").form("/recipes/welcome/pause").fields
    headers = {"Origin": "http://localhost"}
    assert visitor.open("POST", "/recipes/welcome/pause", data=form, headers=headers).status_code == 303


def test_a_form_that_is_too_large_or_no_form_is_refused(visitor: Visitor) -> None:
    assert visitor.post("/cadence", {"user": "x" * 1_100_000}).status_code == 413
    response = visitor.open("POST", "/cadence", json={"user": "x"}, headers=SAME_SITE)
    assert response.status_code == 415


@pytest.mark.parametrize("name", NAMES)
def test_files_are_named_by_their_content_and_kept(name: str, visitor: Visitor) -> None:
    visitor.become(None)
    response = visitor.open("GET", address(name), headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] == "gzip"
    assert visitor.open("GET", f"/assets/0123456789abcdef/{name}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/", "/recipes", "/recipes/welcome", "/recipes/new", "/recipes/welcome/edit", "/recipes/welcome/run", "/send"],
)
def test_a_first_load_is_at_most_120_kb(path: str, visitor: Visitor) -> None:
    own = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "none"}
    response = visitor.open("GET", path, headers=own)
    written = gzip.decompress(response.data).decode()
    files = {*re.findall(r"/assets/[0-9a-f]+/[a-z_.]+", written)}
    loaded = [len(response.data), *(len(visitor.open("GET", each, headers=own).data) for each in files)]
    assert len(loaded) > 4
    assert sum(loaded) <= 120 * 1024


def test_pages_that_another_site_opens_are_not_compressed(visitor: Visitor) -> None:
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        response = visitor.open("GET", "/recipes?q=csrf", headers={"Accept-Encoding": "gzip", **site})
        assert "Content-Encoding" not in response.headers
    response = visitor.open("GET", "/recipes?q=csrf", headers=SAME_SITE)
    assert "Content-Encoding" not in response.headers, "the browser must accept it"


@pytest.mark.parametrize("path", ["/nothing", "/assets/../settings.py", "/recipes/none", "/executions/none"])
def test_what_is_not_there_is_said_on_a_page(path: str, visitor: Visitor) -> None:
    assert " not found" in visitor.get(path, 404).text or path.startswith("/assets")


def test_a_refused_method_names_those_that_the_address_accepts(visitor: Visitor) -> None:
    response = visitor.open("DELETE", "/cadence")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_an_unexpected_error_is_logged_and_not_shown(
    lab: Lab, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    lab.ports.executions.unfinished = broken  # type: ignore[method-assign, assignment]
    page = visitor.get("/", 500)
    assert "hunter2" not in page.text
    reference = page.text.partition("has it under ")[2][:8]
    assert [getattr(record, "reference", None) for record in caplog.records if record.exc_info] == [reference]


def test_no_two_stylesheets_of_a_page_style_the_same_class() -> None:
    """A class that two of them begin a rule with would look like neither means it."""
    for template in (files("functions.handlers.console") / "templates").iterdir():
        listed = re.search(r"set assets = (\[[^]]*\])", template.read_text()) if template.is_file() else None
        styled: dict[str, set[str]] = {}
        for name in re.findall(r'"([^"]+\.css)"', listed[1]) if listed else ():
            for found in re.findall(r"^\.([a-z][a-z0-9-]*)", asset(name).content.decode(), re.MULTILINE):
                styled.setdefault(found, set()).add(name)
        assert {found: names for found, names in styled.items() if len(names) > 1} == {}, template.name
