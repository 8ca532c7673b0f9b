"""Which role each route needs, and that a viewer finds no token, address, export or history of a user by any of them.

A new route has to be added to the tables here. The user data are marked, and every answer to a viewer is searched.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import Forbidden, Unauthenticated
from functions.domain.push.outcomes import Outcome
from functions.domain.roles import Role
from functions.handlers.api.table import ROUTES as CALLS
from functions.handlers.console.table import ROUTES as PAGES
from local.embedded.outbox import OutcomeScript
from tests.factories import TESTER, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.api.test_frame import Gate
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import SAME_SITE, Visitor

OPEN, VIEWER, OPERATOR, ADMIN = None, Role.VIEWER, Role.OPERATOR, Role.ADMIN
USERS = range(1, 25)
MARK = "private-mark"
"""Part of every token, e-mail address, name and device of the user data."""
SECRETS = [MARK, *(user(number) for number in USERS)]


@dataclass(frozen=True)
class Asked:
    """The role that a route needs, and what a viewer sends there besides the address."""

    least: Role | None
    queries: tuple[str, ...] = ("",)
    bodies: tuple[Mapping[str, Any] | None, ...] = (None,)


A = "/api/automation"
EACH_MODE = ("?mode=test-dry-run", "?mode=real-dry-run")
EACH_REPORT = tuple(f"?type={kind}" for kind in ("overview", "violations", "executions", "health"))
API: Mapping[tuple[str, str], Asked] = {
    ("GET", "/api/openapi.json"): Asked(OPEN),
    ("GET", "/api/docs"): Asked(OPEN),
    ("GET", "/api/docs/{name}"): Asked(OPEN),
    ("GET", f"{A}/recipes"): Asked(VIEWER),
    ("POST", f"{A}/recipes"): Asked(OPERATOR),
    ("PUT", f"{A}/recipes"): Asked(OPERATOR),
    ("GET", f"{A}/recipes/{{recipeId}}"): Asked(VIEWER),
    ("PUT", f"{A}/recipes/{{recipeId}}"): Asked(OPERATOR),
    ("DELETE", f"{A}/recipes/{{recipeId}}"): Asked(OPERATOR),
    ("GET", f"{A}/control"): Asked(VIEWER, ("", "?recipeId=welcome")),
    ("POST", f"{A}/control"): Asked(OPERATOR),
    ("POST", "/api/devices/lift-graves"): Asked(OPERATOR),
    ("GET", f"{A}/test/{{recipeId}}"): Asked(VIEWER, EACH_MODE),
    ("POST", f"{A}/test/{{recipeId}}"): Asked(OPERATOR),
    ("GET", f"{A}/{{recipeId}}/history"): Asked(VIEWER),
    ("GET", f"{A}/{{recipeId}}/executions/{{executionId}}"): Asked(VIEWER),
    ("GET", f"{A}/{{recipeId}}/executions/{{executionId}}/log"): Asked(VIEWER),
    ("GET", f"{A}/{{recipeId}}/executions/{{executionId}}/export"): Asked(OPERATOR),
    ("POST", "/api/send-push"): Asked(OPERATOR),
    ("GET", "/api/layers"): Asked(VIEWER),
    ("GET", "/api/cadence-rules"): Asked(VIEWER),
    ("PUT", "/api/cadence-rules"): Asked(ADMIN),
    ("POST", "/api/cadence/history"): Asked(ADMIN),
    ("POST", "/api/filter-audience"): Asked(OPERATOR),
    ("POST", "/api/track-notification"): Asked(OPERATOR),
    ("GET", f"{A}/migrate"): Asked(VIEWER),
    ("POST", f"{A}/migrate"): Asked(ADMIN),
    ("GET", f"{A}/monitor"): Asked(VIEWER, EACH_REPORT),
    ("POST", f"{A}/monitor"): Asked(OPERATOR),
    ("GET", "/api/push-logs"): Asked(VIEWER),
    ("POST", "/api/users/notifications"): Asked(OPERATOR),
    ("GET", f"{A}/templates"): Asked(VIEWER),
    ("POST", f"{A}/templates"): Asked(OPERATOR),
    ("GET", "/api/scripts"): Asked(VIEWER),
    ("POST", "/api/scripts"): Asked(OPERATOR),
    ("POST", "/api/query-audience"): Asked(OPERATOR),
    ("GET", "/api/segments"): Asked(VIEWER),
    ("POST", "/api/segments"): Asked(OPERATOR),
    ("GET", "/api/segments/{segmentId}"): Asked(VIEWER),
    ("PUT", "/api/segments/{segmentId}"): Asked(OPERATOR),
    ("DELETE", "/api/segments/{segmentId}"): Asked(OPERATOR),
    ("GET", "/api/workspace"): Asked(VIEWER),
    ("POST", "/api/audiences/preview"): Asked(OPERATOR),
    ("POST", "/api/people/why"): Asked(OPERATOR),
    ("POST", f"{A}/debug/reschedule"): Asked(OPERATOR),
    ("POST", f"{A}/restore"): Asked(OPERATOR),
    ("GET", f"{A}/audit"): Asked(VIEWER, ("", "?recipeId=welcome", "?recipeId=devices.graves")),
    ("GET", "/api/audit"): Asked(VIEWER, ("", "?subject=welcome", "?subject=test.people")),
    ("GET", "/api/audit/verification"): Asked(ADMIN),
    ("GET", "/api/test-people"): Asked(OPERATOR),
    ("POST", "/api/test-people"): Asked(OPERATOR),
    ("POST", "/api/test-people/remove"): Asked(OPERATOR),
    ("POST", "/api/users/export"): Asked(ADMIN),
    ("POST", "/api/users/erase"): Asked(ADMIN),
    ("GET", "/api/access-log"): Asked(ADMIN),
    ("GET", "/api/health"): Asked(VIEWER),
    ("GET", "/api/version"): Asked(VIEWER),
}
E, R = "/executions/<execution_id>", "/recipes/<recipe_id>"
S, P = "/send/<upload_id>", "/people/<token>"
CONSOLE: Mapping[tuple[str, str], Asked] = {
    ("GET", "/"): Asked(VIEWER),
    ("GET", "/live"): Asked(VIEWER),
    ("GET", "/health"): Asked(VIEWER),
    ("POST", "/violations"): Asked(OPERATOR),
    ("GET", "/broken"): Asked(VIEWER),
    ("GET", "/help"): Asked(VIEWER),
    ("POST", "/help/time-zone"): Asked(VIEWER, bodies=()),
    ("GET", "/executions"): Asked(VIEWER),
    ("GET", "/executions/suggest"): Asked(VIEWER, ("?recipe=wel",)),
    ("GET", "/executions/export"): Asked(VIEWER),
    ("GET", E): Asked(VIEWER),
    ("GET", f"{E}/live"): Asked(VIEWER),
    ("GET", f"{E}/receipt.csv"): Asked(OPERATOR),
    ("GET", f"{E}/audience-<int(max=999):push>.csv"): Asked(OPERATOR),
    ("GET", f"{E}/confirm"): Asked(OPERATOR),
    ("GET", f"{E}/control"): Asked(VIEWER),
    ("POST", f"{E}/cancel"): Asked(OPERATOR),
    ("POST", f"{E}/stop"): Asked(OPERATOR),
    ("GET", "/recipes"): Asked(VIEWER),
    ("GET", R): Asked(VIEWER),
    ("POST", f"{R}/pause"): Asked(OPERATOR),
    ("POST", f"{R}/resume"): Asked(OPERATOR),
    ("GET", f"{R}/skip"): Asked(OPERATOR, queries=("?at=2026-03-09T18:30:00Z",)),
    ("POST", f"{R}/skip"): Asked(OPERATOR),
    ("GET", f"{R}/move"): Asked(OPERATOR, queries=("?at=2026-03-09T18:30:00Z",)),
    ("POST", f"{R}/move"): Asked(OPERATOR),
    ("POST", f"{R}/restore"): Asked(OPERATOR),
    ("POST", "/recipes/schedule"): Asked(OPERATOR),
    ("POST", "/recipes/compose"): Asked(OPERATOR),
    ("POST", "/recipes/compose/people"): Asked(OPERATOR),
    ("GET", "/recipes/compose/image"): Asked(OPERATOR),
    ("GET", "/zones"): Asked(OPERATOR),
    ("GET", f"{R}/pushes"): Asked(OPERATOR),
    ("POST", f"{R}/archive"): Asked(OPERATOR),
    ("GET", f"{R}/review"): Asked(OPERATOR),
    ("GET", f"{R}/review/check"): Asked(OPERATOR),
    ("POST", f"{R}/activate"): Asked(OPERATOR),
    ("GET", f"{R}/delete"): Asked(OPERATOR),
    ("POST", f"{R}/delete"): Asked(OPERATOR),
    ("GET", "/recipes/new"): Asked(OPERATOR),
    ("POST", "/recipes/new"): Asked(OPERATOR),
    ("POST", "/recipes/audience/shape"): Asked(OPERATOR),
    ("POST", "/recipes/audience/words"): Asked(OPERATOR),
    ("POST", "/recipes/audience/count"): Asked(OPERATOR),
    ("POST", "/recipes/audience/why"): Asked(OPERATOR),
    ("GET", "/segments"): Asked(VIEWER),
    ("GET", "/segments/new"): Asked(OPERATOR),
    ("POST", "/segments/new"): Asked(OPERATOR),
    ("GET", "/segments/<segment_id>"): Asked(VIEWER),
    ("POST", "/segments/<segment_id>"): Asked(OPERATOR),
    ("POST", "/segments/<segment_id>/compare"): Asked(OPERATOR),
    ("GET", "/segments/<segment_id>/delete"): Asked(OPERATOR),
    ("POST", "/segments/<segment_id>/delete"): Asked(OPERATOR),
    ("GET", f"{R}/edit"): Asked(OPERATOR),
    ("POST", f"{R}/edit"): Asked(OPERATOR),
    ("GET", f"{R}/run"): Asked(VIEWER),
    ("POST", f"{R}/run"): Asked(VIEWER, bodies=({"mode": "test-dry-run"}, {"mode": "real-dry-run"})),
    ("GET", "/test-people"): Asked(OPERATOR),
    ("GET", "/test-people/platforms"): Asked(OPERATOR),
    ("POST", "/test-people"): Asked(OPERATOR),
    ("POST", "/test-people/remove"): Asked(OPERATOR),
    ("GET", "/calendar"): Asked(VIEWER),
    ("GET", "/cadence"): Asked(VIEWER),
    ("POST", "/cadence"): Asked(ADMIN),
    ("GET", "/send"): Asked(OPERATOR),
    ("POST", "/send"): Asked(OPERATOR),
    ("GET", S): Asked(OPERATOR),
    ("POST", S): Asked(OPERATOR),
    ("GET", f"{S}/counts"): Asked(OPERATOR),
    ("POST", f"{S}/preview"): Asked(OPERATOR),
    ("POST", f"{S}/review"): Asked(OPERATOR),
    ("POST", f"{S}/send"): Asked(OPERATOR),
    ("GET", "/people"): Asked(OPERATOR),
    ("POST", "/people"): Asked(OPERATOR),
    ("GET", P): Asked(OPERATOR),
    ("GET", f"{P}/next"): Asked(OPERATOR),
    ("GET", "/audit/access"): Asked(ADMIN),
    ("POST", "/audit/reopen"): Asked(OPERATOR),
    ("GET", "/audit"): Asked(VIEWER, ("", "?recipe=welcome")),
}


@pytest.fixture
def marked(make_lab: Callable[..., Lab]) -> Lab:
    """A laboratory whose user data are marked. It has sent live, and to users by hand; some tokens are dead."""
    dead = {user(1): Outcome.DEAD_TOKEN, user(2): Outcome.UNKNOWN, user(3): Outcome.BAD_MESSAGE}
    lab = make_lab(script=OutcomeScript(by_user=dead))
    header = ("id", "username", "first_name", "bio", "deleted_at", "email")
    people = [(user(n), f"{MARK}-{n}", f"{MARK}-{n}", "abc"[n % 3], "0", f"{MARK}-{n}@kicks.example") for n in USERS]
    lab.write_table("users", header, people)
    lab.write_table("user_admin_informations", ("user_id", "freeze_reason"), [])
    lab.write_devices([(owner, f"token-{MARK}-{owner}") for owner in [*map(user, USERS), TESTER]])
    lab.save(recipe())
    lab.run_to(SEND_AT - timedelta(minutes=1))
    return lab


def path_of(path: str, lab: Lab) -> str:
    for name in ("{recipeId}", "<recipe_id>"):
        path = path.replace(name, "welcome")
    for name in ("{executionId}", "<execution_id>"):
        path = path.replace(name, lab.id)
    return path.replace("<int(max=999):push>", "1").replace("{name}", "start.js")


def found_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def the_api(lab: Lab, role: Role | None) -> ApiClient:
    trouble = None if role else Forbidden("API_CALLERS does not name the caller")
    return ApiClient(lambda: replace(lab.ports, callers=Gate(role, trouble)))


def test_every_route_of_the_api_is_in_the_table_with_its_role() -> None:
    assert {(route.method, route.path): route.least for route in CALLS} == {
        route: asked.least for route, asked in API.items()
    }


def test_every_route_of_the_console_is_in_the_table_with_its_role() -> None:
    assert {(route.method, route.path): route.least for route in PAGES} == {
        route: asked.least for route, asked in CONSOLE.items()
    }


@pytest.mark.parametrize("role", [None, *Role])
def test_no_call_lets_in_a_lower_role(role: Role | None, lab: Lab) -> None:
    api = the_api(lab, role)
    refused = {
        route: api.unchecked(route[0], path_of(route[1], lab)).status_code == 403
        for route, asked in API.items()
        if asked.least and not (role and role.includes(asked.least))
    }
    assert [route for route, is_refused in refused.items() if not is_refused] == []
    assert role is Role.ADMIN or refused


@pytest.mark.long
def test_without_a_token_only_the_description_of_the_api_is_answered(lab: Lab) -> None:
    api = ApiClient(lambda: replace(lab.ports, callers=Gate(trouble=Unauthenticated("there is no token"))))
    answers = {route: api.unchecked(route[0], path_of(route[1], lab)).status_code for route in API}
    assert {status for route, status in answers.items() if API[route].least} == {401}
    assert {status for route, status in answers.items() if not API[route].least} == {200}


@pytest.mark.parametrize("role", [None, *Role])
def test_no_page_lets_in_a_lower_role(role: Role | None, lab: Lab, visitor: Visitor) -> None:
    lab.launch()
    visitor.become(role)
    too_low = [route for route, asked in CONSOLE.items() if not (role and role.includes(asked.least or VIEWER))]
    for method, path in too_low:
        assert visitor.open(method, path_of(path, lab), headers=SAME_SITE).status_code == 403, (method, path)


@pytest.fixture
def visitor(lab: Lab) -> Visitor:
    return Visitor(lambda: lab.ports)


def answers_of_the_api(lab: Lab) -> dict[str, str]:
    """Every answer of the API to a viewer."""
    api, answers = the_api(lab, VIEWER), dict[str, str]()
    for (method, path), asked in API.items():
        if asked.least in (OPEN, VIEWER):
            for query in asked.queries:
                for body in asked.bodies:
                    address = f"{path_of(path, lab)}{query}"
                    response = api(method, address, **({} if body is None else {"json": body}))
                    assert response.status_code in (200, 404, 422), f"{method} {address}: {response.text}"
                    answers[f"{method} {address} {str(body)[:40]}"] = response.text
    return answers


def answers_of_the_console(lab: Lab) -> dict[str, str]:
    """Every page that a viewer can open."""
    visitor, answers = Visitor(lambda: lab.ports), dict[str, str]()
    visitor.become(VIEWER)
    for (method, path), asked in CONSOLE.items():
        address = path_of(path, lab)
        if asked.least is VIEWER and method == "GET":
            answers |= {f"{address}{query}": visitor.open("GET", f"{address}{query}").text for query in asked.queries}
        elif asked.least is VIEWER:
            answers |= {
                f"{address} {body}": visitor.send(address, address, body, status=200).text for body in asked.bodies
            }
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("until", [timedelta(minutes=-1), timedelta(minutes=1), timedelta(hours=2)], ids=str)
def test_a_viewer_finds_nothing_of_a_user_by_any_route(until: timedelta, marked: Lab) -> None:
    sent = the_api(marked, OPERATOR)(
        "POST",
        "/api/send-push",
        data={
            "title": "a",
            "body": "b",
            "layerId": "1",
            "file": (io.BytesIO(f"user_id\n{user(5)}".encode()), "x.csv"),
        },
    )
    assert sent.status_code == 202, sent.text
    marked.run_to(SEND_AT + until)
    answers = answers_of_the_api(marked) | answers_of_the_console(marked)
    assert {address: found_in(text) for address, text in answers.items() if found_in(text)} == {}


@pytest.mark.long
def test_the_marks_are_there_to_be_found(marked: Lab) -> None:
    """The search would find what a viewer must not see: an operator's answers to the same questions have it."""
    marked.run_to(SEND_AT + timedelta(hours=2))
    api = the_api(marked, OPERATOR)
    answers = [
        api("GET", f"{A}/test/welcome?mode=real-dry-run"),
        api("GET", f"{A}/welcome/executions/{marked.id}/export"),
        api("POST", "/api/users/notifications", json={"userId": user(1)}),
        api("POST", "/api/people/why", json={"userId": user(1), "recipe": "welcome"}),
        api("POST", "/api/query-audience", json={}),
    ]
    assert [bool(found_in(answer.text)) for answer in answers] == [True] * len(answers)
