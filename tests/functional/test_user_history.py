"""Everything that a user got, or did not get and why: of every layer, with the texts as they were sent."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from functions import bootstrap
from functions.handlers.http.callers import logged_path
from functions.usecases.reports.history import notifications_of
from functions.usecases.timeline.control import stop
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor, path_of


@pytest.fixture
def visitor(lab: Lab) -> Visitor:
    return Visitor(lambda: lab.ports)


def got(lab: Lab, user_id: str) -> list[Any]:
    found = notifications_of(lab.ports, user_id, until=lab.clock.now(), days=30)
    return [(each.layer_id, each.outcome, each.reason, each.title) for each in found.notifications]


@pytest.mark.slow
@pytest.mark.parametrize("layer", [1, 2, 3, 4, 5])
def test_a_push_of_every_layer_is_there_with_the_text_that_was_sent(layer: int, lab: Lab) -> None:
    lab.save(recipe(pushSequence=[push(1, layerId=layer)]))
    lab.run_to_the_end()
    assert got(lab, user(1)) == [(layer, "sent", "", "Push 1 for Name 1")]


@pytest.mark.long
def test_what_a_user_did_not_get_says_why(lab: Lab) -> None:
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=[1])
    lab.save(recipe(pushSequence=[push(1, layerId=3)]))
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    assert got(lab, user(1)) == [(3, "excluded", "no_token", "Push 1 for Name 1")] * 2
    assert [each[:3] for each in got(lab, user(2))] == [(3, "excluded", "layer_3_cooldown"), (3, "sent", "")]


@pytest.mark.long
def test_the_history_of_a_user_that_a_stop_left_out_names_the_stop(lab: Lab) -> None:
    lab.run_to(SEND_AT + timedelta(minutes=1))
    stop(lab.ports, lab.id, "wrong shoes")
    lab.run_to_the_end()
    assert got(lab, user(8)) == [(1, "not_reached", "wrong shoes", "Push 3 for Name 8")]


@pytest.mark.long
def test_test_pushes_are_named_as_tests(lab: Lab) -> None:
    lab.run_to_the_end()
    found = notifications_of(lab.ports, TESTER, until=lab.clock.now(), days=30).notifications
    assert {(each.test, each.outcome) for each in found} == {(True, "sent")}
    assert len(found) == 3


@pytest.mark.long
def test_an_unknown_user_and_an_excluded_one_look_different(lab: Lab, visitor: Visitor) -> None:
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=[1])
    lab.run_to_the_end()
    assert "No device token" in looked_up(visitor, user(1))
    assert "Nothing is known of this ID" in looked_up(visitor, user(77))


def looked_up(visitor: Visitor, user_id: str) -> str:
    return visitor.get(path_of(visitor.send("/people", "/people", {"user": user_id}))).text


@pytest.mark.slow
def test_a_user_is_looked_up_by_a_form_so_that_no_address_has_the_id(lab: Lab, visitor: Visitor) -> None:
    lab.run_to_the_end()
    assert visitor.open("GET", f"/users/{user(1)}").status_code == 404
    text = looked_up(visitor, user(1))
    assert "Sent Welcome" in text
    assert "Layer 1" in text
    assert "Push 1 for Name 1" in text
    wrong = visitor.send("/people", "/people", {"user": "Noor"}, status=422)
    assert "Enter a user ID such as" in Page(wrong.text).text


def test_the_log_does_not_hold_the_address_of_a_user(
    lab: Lab, visitor: Visitor, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor.get(f"/users/{user(1)}", 404)
    looked_up(visitor, user(1))
    visitor.become(None)
    visitor.get(f"/users/{user(1)}", 403)
    with bootstrap.bind(lab.ports):
        client = Client(load_functions(("api",), SOURCE)["api"])
        client.get(f"/api/users/{user(1)}/notifications?days=0")
        client.post("/api/users/notifications", json={"userId": user(1), "days": 0})
    written = capsys.readouterr()
    assert user(1) not in caplog.text + written.out + written.err


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/users/ana@kicks.example", "/users/..."),
        ("/users/a/b", "/users/..."),
        ("/api/users/ana@kicks.example/notifications", "/api/users/.../notifications"),
        ("/api/people/ana@kicks.example/why", "/api/people/.../why"),
        ("/api/users/notifications", "/api/users/notifications"),
        ("/api/people/why", "/api/people/why"),
        ("/api/automation/recipes/users", "/api/automation/recipes/users"),
    ],
)
def test_a_logged_path_names_no_user(path: str, logged: str) -> None:
    assert logged_path(path) == logged
