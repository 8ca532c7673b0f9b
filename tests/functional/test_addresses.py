"""An id in an address may hold any character, percent-encoded; an unknown one is named, never taken for a call."""

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from functions import bootstrap
from functions.domain.errors import BadInput
from functions.domain.ids import UserIdFormat
from local.cli.api_client import part
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE
from tests.functional.api.documented import ApiClient
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor

IDS = ("a/b", "a/../b", "/", "a b", "ä/ö", "a%2Fb", "a?b", "a#b/c", "..%2F", "\uffff")
CALLS = (
    ("GET", "/api/automation/recipes/{}"),
    ("DELETE", "/api/automation/recipes/{}"),
    ("GET", "/api/automation/test/{}"),
    ("POST", "/api/automation/test/{}?mode=live-send"),
    ("GET", "/api/automation/{}/executions/x"),
)
PAGES = ("/recipes/{}", "/recipes/{}/edit", "/recipes/{}/run", "/executions/{}", "/executions/{}/confirm")


@pytest.fixture
def api(lab: Lab) -> ApiClient:
    return ApiClient(lambda: lab.ports)


@pytest.fixture
def visitor(lab: Lab) -> Visitor:
    return Visitor(lambda: lab.ports)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_names_the_id_that_is_not_there(api: ApiClient, method: str, path: str, name: str) -> None:
    response = api.unchecked(method, path.format(quote(name, safe="")))
    message = json.loads(response.text)["message"]
    assert response.status_code == 404
    assert "there is no such call" not in message
    assert repr(name) in message or name in message


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_the_id_that_is_not_there(visitor: Visitor, path: str, name: str) -> None:
    response = visitor.open("GET", path.format(quote(name, safe="")))
    assert response.status_code == 404
    assert "there is no such page" not in Page(response.text).text


def test_an_id_that_is_not_encoded_says_how_to_encode_it(api: ApiClient) -> None:
    response = api.unchecked("GET", "/api/automation/recipes/a/b")
    assert response.status_code == 404
    assert json.loads(response.text)["message"].endswith("In an address an id is percent-encoded: / is %2F")


def test_a_user_whose_id_has_a_slash_can_be_looked_up(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    api = ApiClient(lambda: lab.ports)
    assert api.data("POST", "/api/users/notifications", json={"userId": "shop/7"})["userId"] == "shop/7"


def test_an_address_below_a_prefix_is_read_from_its_end(lab: Lab) -> None:
    app = load_functions(("api",), SOURCE)["api"]
    with bootstrap.bind(lab.ports):
        response = Client(app).open(base_url="http://localhost/api-of-ours", path="/api/automation/recipes/a%2Fb")
    assert "there is no recipe 'a/b'" in json.loads(response.text)["message"]


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_the_command_line_asks_for_no_id_that_an_address_cannot_have(name: str) -> None:
    with pytest.raises(BadInput, match="is not the id of anything"):
        part(name)
    assert part("a/b") == "a%2Fb"
