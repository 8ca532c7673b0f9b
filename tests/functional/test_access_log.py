"""Reads and exports of personal data leave an entry, which has none of the data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.domain.access import SubjectKind, hash_of_user
from functions.domain.errors import Transient
from functions.domain.roles import Role
from tests.factories import TESTER, recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.api.test_frame import Gate
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Visitor, path_of

A = "/api/automation"


def the_api(lab: Lab, role: Role) -> ApiClient:
    return ApiClient(lambda: replace(lab.ports, callers=Gate(role)))


def logged(lab: Lab) -> list[tuple[str, SubjectKind, str]]:
    entries = lab.ports.accesses.newest(most=99)
    assert {entry.by for entry in entries} <= {"somebody@kicks.example", "ana@kicks.example"}
    return sorted((entry.route, entry.kind, entry.subject) for entry in entries)


@pytest.fixture
def sent(lab: Lab) -> Lab:
    lab.write_table("user_admin_informations", ("user_id", "freeze_reason"), [])
    lab.run_to(SEND_AT)
    return lab


@pytest.mark.long
def test_each_call_that_shows_personal_data_leaves_an_entry(sent: Lab) -> None:
    api = the_api(sent, Role.ADMIN)
    mine = hash_of_user(user(1), sent.ports.accesses.key())
    calls: list[tuple[str, str, Any, tuple[str, SubjectKind, str]]] = [
        ("POST", "/api/users/notifications", {"userId": user(1)}, ("", SubjectKind.USER, mine)),
        ("POST", "/api/people/why", {"userId": user(1).upper(), "recipe": "welcome"}, ("", SubjectKind.USER, mine)),
        ("POST", "/api/filter-audience", {"userIds": [user(1)], "layerId": 3}, ("", SubjectKind.USER, mine)),
        ("POST", "/api/filter-audience", {"userIds": [user(1), TESTER], "layerId": 3}, ("", SubjectKind.USERS, "2")),
        ("POST", "/api/filter-audience", {"userIds": [{}], "layerId": 3}, ("", SubjectKind.USERS, "1")),
        ("POST", "/api/scripts", {"scriptId": "everybody"}, ("", SubjectKind.JOB, "everybody")),
        ("POST", "/api/query-audience", {}, ("", SubjectKind.AUDIENCE, "")),
        ("GET", f"{A}/test/welcome", None, (f"{A}/test/{{recipeId}}", SubjectKind.RECIPE, "welcome")),
        (
            "POST",
            f"{A}/test/welcome?mode=real-dry-run",
            None,
            (f"{A}/test/{{recipeId}}", SubjectKind.RECIPE, "welcome"),
        ),
        (
            *("GET", f"{A}/welcome/executions/{sent.id}/export", None),
            (f"{A}/{{recipeId}}/executions/{{executionId}}/export", SubjectKind.EXECUTION, sent.id),
        ),
    ]
    for method, path, body, (_, _, _) in calls:
        assert api(method, path, **({} if body is None else {"json": body})).status_code == 200, path
    assert logged(sent) == sorted(
        (f"{method} {route or path}", kind, subject) for method, path, _, (route, kind, subject) in calls
    )
    assert user(1) not in str(logged(sent))


@pytest.mark.long
def test_a_viewer_who_sees_only_numbers_leaves_no_entry(sent: Lab) -> None:
    sent.write_users({"a": range(20), "b": (), "c": ()})
    api = the_api(sent, Role.VIEWER)
    assert api("POST", "/api/query-audience", json={}).status_code == 403
    assert api("GET", f"{A}/test/welcome").status_code == 200
    assert api("POST", "/api/users/notifications", json={"userId": user(1)}).status_code == 403
    assert logged(sent) == []


@pytest.mark.long
def test_look_ups_and_downloads_in_the_console_leave_an_entry(sent: Lab) -> None:
    visitor = Visitor(lambda: sent.ports)
    visitor.get(path_of(visitor.send("/people", "/people", {"user": user(1)})))
    visitor.send("/people", "/people", {"user": "Noor"}, status=422)
    form = next(f for f in visitor.get("/recipes/welcome/run").forms if f.fields["mode"] == ["real-dry-run"])
    visitor.post(form.action, form.fields, status=200)
    for name in ("receipt.csv", "audience-1.csv"):
        assert visitor.open("GET", f"/executions/{sent.id}/{name}").status_code == 200
    assert logged(sent) == sorted(
        [
            ("POST console/people", SubjectKind.USER, hash_of_user(user(1), sent.ports.accesses.key())),
            ("GET console/people/<token>", SubjectKind.USER, hash_of_user(user(1), sent.ports.accesses.key())),
            ("POST console/people", SubjectKind.AUDIENCE, ""),
            ("POST console/recipes/<recipe_id>/run", SubjectKind.RECIPE, "welcome"),
            ("GET console/executions/<execution_id>/receipt.csv", SubjectKind.EXECUTION, sent.id),
            (
                "GET console/executions/<execution_id>/audience-<int(max=999):push>.csv",
                SubjectKind.EXECUTION,
                sent.id,
            ),
        ]
    )
    assert "POST console/people" in visitor.get("/audit/access").text
    visitor.become(Role.OPERATOR)
    visitor.get("/audit/access", 403)


@pytest.mark.slow
def test_only_an_admin_lists_the_access_log_page_by_page(sent: Lab) -> None:
    api = the_api(sent, Role.ADMIN)
    for number in range(3):
        api("POST", "/api/users/notifications", json={"userId": user(number)})
    page = api("GET", "/api/access-log?limit=2").json
    assert page is not None
    following = api.data("GET", f"/api/access-log?limit=2&cursor={page['pagination']['next']}")
    assert len(page["data"]) == 2
    assert len({each["subject"] for each in [*page["data"], *following]}) == 3
    assert the_api(sent, Role.OPERATOR)("GET", "/api/access-log").status_code == 403


@pytest.mark.slow
def test_without_an_entry_nothing_is_shown(sent: Lab) -> None:
    class Broken:
        def key(self) -> str:
            return "key"

        def add(self, _: object) -> None:
            raise Transient("the store does not answer")

    broken: Any = Broken()
    sent.ports = replace(sent.ports, accesses=broken)
    answer = the_api(sent, Role.ADMIN)("POST", "/api/users/notifications", json={"userId": user(1)})
    assert (answer.status_code, "Push 1" in answer.text) == (503, False)


def test_a_key_of_the_deployment_replaces_the_stored_one(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(user_hash_key="k" * 32)
    lab.save(recipe())
    the_api(lab, Role.OPERATOR)("POST", "/api/users/notifications", json={"userId": user(1)})
    assert logged(lab)[0][2] == hash_of_user(user(1), "k" * 32)
