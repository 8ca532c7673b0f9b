"""The stand-in for Identity-Aware Proxy: who gets past it, and what the console verifies."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from functions.domain.errors import Forbidden, TminusError, Unauthenticated
from functions.domain.roles import Caller, Role
from functions.gcp.auth.id_tokens import IdTokens
from functions.gcp.clock import SystemClock
from functions.settings import CloudSettings
from local.standins.iap import LEAVE, MADE_USERS, identity_proxy
from local.standins.iap.key import ProxyKey
from local.standins.iap.proxy import CHOOSE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

USERS = {"ana@kicks.example": Role.OPERATOR, 'o"ddly+<b>@kicks.example': Role.VIEWER}
CHOOSER = f"/console{CHOOSE}"


class Console:
    """A console that verifies assertions as the deployed one does, and remembers its visitors."""

    def __init__(self, callers: IdTokens) -> None:
        self._callers = callers
        self.visitors: list[Caller | TminusError] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        assertion = Request(environ).headers.get("X-Goog-IAP-JWT-Assertion")
        try:
            self.visitors.append(self._callers.visitor(assertion))
        except (Unauthenticated, Forbidden) as error:
            self.visitors.append(error)
        return Response("a page")(environ, start_response)


@pytest.fixture
def console() -> Iterator[tuple[Client, Console]]:
    with identity_proxy(USERS) as (proxy, settings):
        cloud = CloudSettings(
            project="demo",
            location="europe-west1",
            function_url="http://127.0.0.1/{function}",
            bucket="b",
            task_caller="t@demo",
            scheduler_caller="s@demo",
            console=settings,
        )
        served = Console(IdTokens(cloud, SystemClock()))
        app = DispatcherMiddleware(Response("elsewhere"), {"/console": proxy.before(served)})
        yield Client(app), served


def choose(client: Client, user: str, back: str = "/console/executions?state=live") -> Any:
    return client.post(CHOOSER, data={"user": user, "back": back})


def test_a_stranger_is_asked_who_to_be_and_comes_back(console: tuple[Client, Console]) -> None:
    client, served = console
    answer = client.get("/console/executions?state=live")
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, CHOOSER)
    page = client.get(answer.headers["Location"]).text
    assert 'value="/console/executions?state=live"' in page
    assert "ana@kicks.example" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert choose(client, "ana@kicks.example").headers["Location"] == "/console/executions?state=live"
    assert served.visitors == []


@pytest.mark.parametrize("user", USERS)
def test_the_console_verifies_who_was_chosen(console: tuple[Client, Console], user: str) -> None:
    client, served = console
    choose(client, user)
    assert client.get("/console/").text == "a page"
    assert client.post("/console/recipes").text == "a page"
    assert served.visitors == [Caller(name=user, role=USERS[user])] * 2


def test_a_visitor_cannot_bring_an_assertion_along(console: tuple[Client, Console]) -> None:
    client, served = console
    forged = {"X-Goog-IAP-JWT-Assertion": ProxyKey().assertion("root@kicks.example", "x"), "X-Goog-Other": "1"}
    assert client.get("/console/", headers=forged).status_code == 302
    choose(client, "ana@kicks.example")
    client.get("/console/", headers=forged)
    assert served.visitors == [Caller(name="ana@kicks.example", role=Role.OPERATOR)]


def test_only_listed_users_can_be_chosen(console: tuple[Client, Console]) -> None:
    client, served = console
    assert choose(client, "root@kicks.example").status_code == 200
    client.set_cookie("TMINUS_IAP_USER", "root@kicks.example", path="/console")
    assert client.get("/console/").status_code == 302
    assert served.visitors == []


def test_forms_and_parts_of_pages_are_refused_without_a_user(console: tuple[Client, Console]) -> None:
    client, served = console
    assert client.post("/console/recipes").status_code == 401
    assert client.get("/console/", headers={"HX-Request": "true"}).status_code == 401
    assert served.visitors == []


def test_who_leaves_is_asked_again(console: tuple[Client, Console]) -> None:
    client, _ = console
    choose(client, "ana@kicks.example")
    assert client.get(f"/console{LEAVE}").headers["Location"] == CHOOSER
    assert client.get("/console/").status_code == 302


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example/", "/api/", "", "/consoles/"])
def test_nobody_is_sent_elsewhere(console: tuple[Client, Console], back: str) -> None:
    client, _ = console
    assert choose(client, "ana@kicks.example", back).headers["Location"] == "/console/"


def test_a_key_that_is_not_the_proxys_is_refused(console: tuple[Client, Console]) -> None:
    _, served = console
    audience = "/projects/1/locations/europe-west1/services/tminus-console"
    with pytest.raises(Unauthenticated):
        served._callers.visitor(ProxyKey().assertion("ana@kicks.example", audience))


def test_there_are_users_of_every_role_where_none_are_named() -> None:
    assert set(MADE_USERS.values()) == set(Role)
