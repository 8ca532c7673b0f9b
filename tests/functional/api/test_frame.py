"""What every call of the API does: who comes in, what is read, how it is answered."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from functions.domain.errors import Forbidden, QuotaExceeded, Transient, Unauthenticated
from functions.domain.roles import Caller, Role
from functions.handlers.api.route import Route
from functions.handlers.api.table import ROUTES
from tests.factories import user
from tests.functional.api.documented import ApiClient, document
from tests.functional.conftest import Lab

RECIPES = "/api/automation/recipes"
"""Calls that change nothing, but whose questions are too long for an address."""
OPEN = {"/api/openapi.json", "/api/docs", "/api/docs/{name}"}


class Gate:
    """Knows one caller, or fails to."""

    def __init__(self, role: Role | None = None, trouble: Exception | None = None) -> None:
        self.role, self.trouble = role, trouble

    def check_service(self, *_: object) -> None: ...

    def asserted(self, *_: object) -> str:
        return ""

    def person(self, *_: object) -> Caller:
        if self.trouble is not None or self.role is None:
            raise self.trouble or Unauthenticated("there is no token")
        return Caller(name="somebody@kicks.example", role=self.role)

    def visitor(self, assertion: str | None) -> Caller:
        return self.person(assertion)


def gate(lab: Lab, role: Role | None = None, trouble: Exception | None = None) -> None:
    lab.ports = replace(lab.ports, callers=Gate(role, trouble))


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_call_takes_a_role_but_the_description_of_the_api(route: Route, lab: Lab, api: ApiClient) -> None:
    path = re.sub(r"{\w+}", "start.js", route.path)
    if route.path in OPEN:
        assert route.least is None
        gate(lab)
        assert api(route.method, path).status_code == 200
        return
    assert route.least is not None, "say which role the call takes"
    assert route.method == "GET" or route.least is not Role.VIEWER
    gate(lab)
    assert api(route.method, path).status_code == 401
    roles = list(Role)
    if lower := roles[: roles.index(route.least)]:
        gate(lab, lower[-1])
        assert api(route.method, path).status_code == 403


def test_names_of_calls_are_distinct_and_each_is_explained() -> None:
    operations = [operation for path in document()["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(ROUTES)
    assert all(operation["summary"] for operation in operations)


@pytest.mark.parametrize(
    ("trouble", "status", "code", "header"),
    [
        (Unauthenticated("there is no token"), 401, "unauthenticated", ("WWW-Authenticate", "Bearer")),
        (Forbidden("another account"), 403, "forbidden", None),
        (QuotaExceeded(7), 429, "quota_exceeded", ("Retry-After", "7")),
        (Transient("the certificates cannot be fetched"), 503, "unavailable", ("Retry-After", "5")),
    ],
)
def test_every_refusal_has_the_same_shape(
    trouble: Exception, status: int, code: str, header: tuple[str, str] | None, lab: Lab, api: ApiClient
) -> None:
    gate(lab, trouble=trouble)
    response = api.unchecked("GET", RECIPES)
    assert (response.status_code, response.json) == (
        status,
        {"success": False, "code": code, "message": str(trouble), "errors": []},
    )
    assert header is None or response.headers[header[0]] == header[1]


def test_an_unexpected_error_is_logged_and_not_shown(
    lab: Lab, api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    gate(lab, trouble=RuntimeError("the password is hunter2"))
    response = api("GET", RECIPES)
    assert response.status_code == 500
    assert "hunter2" not in response.text
    reference = response.text.partition("under ")[2][:8]
    assert [getattr(record, "reference", None) for record in caplog.records] == [reference]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"", "application/json", 400, "is empty"),
        (b'{"name": ', "application/json", 400, "not JSON"),
        (b'{"name": "a", "name": "b"}', "application/json", 400, r"the key \"name\" is there twice"),
        (b'{"settings": {"a": 1, "b": {}, "a": 1}}', "application/json", 400, r"the key \"a\" is there twice"),
        (b'{"name": "\xff"}', "application/json", 400, "not UTF-8"),
        (b'{"name": NaN}', "application/json", 400, "NaN is not a number"),
        (b"[" * 100_000, "application/json", 400, "nested too deep"),
        (b"[]", "application/json", 422, "must be an object"),
        (b'"{}"', "application/json", 422, "must be an object"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "must be application/json"),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', "application/json", 413, "at most 1,000,000 bytes"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_in_words(
    body: bytes, content_type: str, status: int, words: str, api: ApiClient, lab: Lab
) -> None:
    before = lab.ports.recipes.get("welcome")
    response = api("PUT", f"{RECIPES}/welcome", data=body, content_type=content_type)
    assert (response.status_code, words in response.text) == (status, True), response.text
    assert lab.ports.recipes.get("welcome") == before


def test_a_compressed_body_is_not_unpacked(api: ApiClient) -> None:
    response = api("PUT", f"{RECIPES}/welcome", data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415


def test_a_byte_order_mark_is_no_part_of_the_json(api: ApiClient) -> None:
    body = b'\xef\xbb\xbf{"name": "Gr\xc3\xbc\xc3\x9fe"}'
    assert api.data("PUT", f"{RECIPES}/welcome", data=body, content_type="application/json")["name"] == "Grüße"


def test_an_unknown_address_or_method_names_those_that_exist(api: ApiClient) -> None:
    unknown, wrong = api.unchecked("GET", "/api/nothing"), api.unchecked("PATCH", RECIPES)
    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert wrong.headers["Allow"] == "GET, HEAD, POST, PUT"
    assert "/api/docs" in unknown.text


def test_a_parameter_that_is_there_twice_is_not_guessed(api: ApiClient) -> None:
    response = api("GET", f"{RECIPES}?limit=1&limit=2")
    assert (response.status_code, json.loads(response.text)["errors"][0]["field"]) == (422, "limit")


def test_browsers_keep_the_pages_of_other_origins_out(api: ApiClient) -> None:
    origin = {"Origin": "https://console.example", "Access-Control-Request-Method": "PUT"}
    assert api.unchecked("OPTIONS", RECIPES, headers=origin).status_code == 405
    assert "Access-Control-Allow-Origin" not in api("GET", RECIPES, headers=origin).headers


@pytest.mark.parametrize("path", [RECIPES, "/api/nothing", "/api/openapi.json"])
def test_a_browser_takes_no_answer_for_a_page(path: str, api: ApiClient) -> None:
    headers = api.unchecked("GET", path, headers={"X-Forwarded-Proto": "https"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in api.unchecked("GET", path).headers


def test_no_cache_keeps_personal_data(api: ApiClient) -> None:
    shown = api("POST", "/api/users/notifications", json={"userId": user(1)})
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    assert api("GET", RECIPES).headers["Cache-Control"] == "private, no-cache"


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_inline_script(api: ApiClient) -> None:
    page = api("GET", "/api/docs")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    named: list[Any] = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert all(api("GET", f"/api/{name}").status_code == 200 for name in named)
    assert "<script>" not in page.text
    assert api("GET", "/api/docs/secret.txt").status_code == 404


@pytest.mark.parametrize("deep", [101, 900, 100_000])
@pytest.mark.parametrize("path", [RECIPES, "/api/query-audience", "/api/filter-audience"])
def test_a_body_that_is_nested_too_deep_is_refused_wherever_it_is_sent(deep: int, path: str, api: ApiClient) -> None:
    body = '{"filters": {"lastActiveDays": ' + "[" * deep + "]" * deep + "}}"
    response = api.unchecked("POST", path, data=body, content_type="application/json")
    assert (response.status_code, "nested too deep" in response.text) == (400, True)
