"""How often and how long one caller may look at user data."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import marketplace
from functions.domain.roles import Caller, Role
from functions.handlers.api.table import ROUTES
from functions.handlers.http.rate import looking
from functions.settings.read import read_settings
from tests.factories import recipe, user
from tests.functional.api.documented import ApiClient
from tests.functional.api.test_frame import Gate
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Visitor
from tests.functional.test_callers import ENVIRONMENT

TRIAL = "/api/automation/test/welcome"


@pytest.fixture
def limited(make_lab: Callable[..., Lab]) -> Lab:
    lab = make_lab(looks_per_minute=3)
    lab.save(recipe())
    return lab


def as_caller(lab: Lab, name: str) -> ApiClient:
    class Named(Gate):
        def person(self, *_: object) -> Caller:
            return Caller(name=name, role=Role.OPERATOR)

    return ApiClient(lambda: replace(lab.ports, callers=Named()))


@pytest.mark.long
def test_a_caller_who_looks_too_often_is_told_when_to_come_again(limited: Lab) -> None:
    ana, ben = as_caller(limited, "ana@kicks.example"), as_caller(limited, "ben@kicks.example")
    assert [ana("GET", TRIAL).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ana("GET", TRIAL)
    assert (refused.headers["Retry-After"], (refused.json or {})["code"]) == ("20", "quota_exceeded")
    assert ben("GET", TRIAL).status_code == 200, "each caller has a limit of their own"
    assert ana("GET", "/api/automation/recipes").status_code == 200, "what is cheap is not limited"
    limited.clock.advance_to(limited.clock.now() + timedelta(seconds=20))
    assert [ana("GET", TRIAL).status_code for _ in range(2)] == [200, 429]


@pytest.mark.slow
def test_dry_runs_of_the_console_count_too(limited: Lab) -> None:
    visitor = Visitor(lambda: limited.ports)
    form = next(f for f in visitor.get("/recipes/welcome/run").forms if f.fields["mode"] == ["real-dry-run"])
    assert [visitor.post(form.action, form.fields).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_every_call_that_queries_the_user_data_is_limited() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.expensive} == {
        ("GET", "/api/automation/test/{recipeId}"),
        ("POST", "/api/automation/test/{recipeId}"),
        ("POST", "/api/scripts"),
        ("POST", "/api/query-audience"),
        ("POST", "/api/audiences/preview"),
        ("POST", "/api/people/why"),
    }


def test_a_look_ends_after_a_minute(lab: Lab, tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path, marketplace(), timeout_seconds=600)
    ports = looking(replace(lab.ports, engine=engine), Caller(name=user(1), role=Role.VIEWER))
    assert isinstance(ports.engine, DuckDBEngine)
    assert 0 < ports.engine._limit.left("a look") <= 60


def test_only_a_deployment_has_a_limit_by_default() -> None:
    assert read_settings({}).policy.looks_per_minute == 0
    assert read_settings(ENVIRONMENT).policy.looks_per_minute == 30
    assert read_settings(ENVIRONMENT | {"LOOKS_PER_MINUTE": "0"}).policy.looks_per_minute == 0
