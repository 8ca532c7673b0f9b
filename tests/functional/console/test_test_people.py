"""Tests of a campaign on colleagues: to the visitor, to named people, with chosen pushes and values."""

from datetime import timedelta

import pytest

from functions.domain.roles import Role
from functions.usecases.people.testers import add_tester
from tests.factories import TESTER, recipe, user
from tests.functional.conftest import Lab
from tests.functional.console.visitor import Page, Visitor

RUN, PEOPLE = "/recipes/welcome/run", "/test-people"
ANA, BEN = user(101), user(102)


@pytest.fixture
def phones(lab: Lab) -> None:
    """Ana and Ben have a device each, besides those of the users of the laboratory."""
    lab.write_devices([(user(n), f"token-{n}") for n in range(1, 25)] + [(TESTER, "t"), (ANA, "ana"), (BEN, "ben")])


def form(visitor: Visitor, name: str) -> dict[str, list[str]]:
    """The form that sends to the visitor, `me`, or to others."""
    found = [each.fields for each in visitor.get(RUN).forms if each.fields.get("mode") == ["test-live-send"]]
    return next(each for each in found if ("to-me" in each["once"][0]) == (name == "me"))


def finished(lab: Lab, visitor: Visitor, location: str) -> Page:
    lab.run_to(lab.clock.now() + timedelta(minutes=3))
    return visitor.get(location)


def got(lab: Lab) -> set[tuple[str, str]]:
    """The tokens that got a test, and the titles."""
    return {(each["token"], each["title"]) for each in lab.outbox(test=True)}


@pytest.mark.usefixtures("phones")
def test_a_visitor_says_once_who_they_are_and_gets_the_test(lab: Lab, visitor: Visitor) -> None:
    assert "Who are you in your app?" in visitor.get(RUN).text
    wrong = visitor.post(RUN, {**form(visitor, "me"), "user": "jo"}, status=422)
    assert "Nothing was sent: " in Page(wrong.text).text
    assert list(lab.ports.testers.all()) == []
    done = visitor.post(RUN, {**form(visitor, "me"), "user": ANA}, status=303)
    [me] = lab.ports.testers.all()
    assert (me.name, me.user_id, me.email) == ("ana", ANA, "ana@kicks.example")
    page = finished(lab, visitor, done.headers["Location"])
    assert "Test started. This page updates automatically." in page.text
    assert "Sent to ana (iOS)." in page.text
    assert {token for token, _ in got(lab)} == {"ana"}, "the campaign's own test users get nothing"
    assert lab.outbox(test=False) == []
    assert "Who are you in your app?" not in visitor.get(RUN).text


@pytest.mark.usefixtures("phones")
def test_chosen_people_get_the_chosen_pushes_with_the_values_of_a_chosen_person(lab: Lab, visitor: Visitor) -> None:
    for name, who in (("Ana", ANA), ("Ben", BEN)):
        add_tester(lab.ports, name=name, user_id=who, by="zoe@kicks.example")
    fields = form(visitor, "others")
    assert fields["push"] == ["1", "2", "3"]
    chosen = {**fields, "to": [ANA, BEN], "push": ["2"], "like": user(5)}
    location = visitor.post(RUN, chosen, status=303).headers["Location"]
    page = finished(lab, visitor, location)
    assert got(lab) == {("ana", "Push 2 for Name 5"), ("ben", "Push 2 for Name 5")}
    assert "Sent to Ana (iOS) and Ben (iOS)." in page.text
    lab.run_to(lab.clock.now() + timedelta(minutes=30))
    assert "Sent to Ana and Ben." in visitor.get(location).text, "the cleanup deletes the devices"
    assert "Cancellation window" not in page.text, "a test has no such phase"
    assert "Live send" not in page.text


def test_nothing_chosen_says_what_to_choose_and_keeps_the_rest(lab: Lab, visitor: Visitor) -> None:
    add_tester(lab.ports, name="Ana", user_id=ANA, by="zoe@kicks.example")
    fields = {name: value for name, value in form(visitor, "others").items() if name != "to"}
    page = Page(visitor.post(RUN, {**fields, "like": user(5)}, status=422).text)
    assert "Nothing was sent: choose who gets the test." in page.text
    assert ["like", user(5)] in [[values.get("name"), values.get("value")] for _, values in page.elements]
    assert lab.ports.executions.unfinished() == []


@pytest.mark.usefixtures("phones")
def test_the_list_is_changed_on_a_page_and_shows_platforms(lab: Lab, visitor: Visitor) -> None:
    assert "No test people yet" in visitor.get(PEOPLE).text
    wrong = Page(visitor.send(PEOPLE, PEOPLE, {"name": "", "userId": "jo"}, status=422).text)
    assert "Error: Write a name" in wrong.text
    visitor.send(PEOPLE, PEOPLE, {"name": "Ana", "userId": ANA, "email": "ana@kicks.example"})
    assert "1 test person Ana you" in visitor.get(PEOPLE).text
    assert visitor.get(f"{PEOPLE}/platforms").text == "iOS"
    assert visitor.get(f"{PEOPLE}/platforms?me=yes").text == "iOS iOS"
    visitor.send(PEOPLE, f"{PEOPLE}/remove")
    assert list(lab.ports.testers.all()) == []
    assert "the test people" in visitor.get("/audit").text


def test_a_viewer_sees_no_test_people(lab: Lab, visitor: Visitor) -> None:
    add_tester(lab.ports, name="Ana", user_id=ANA, by="zoe@kicks.example")
    visitor.become(Role.VIEWER)
    visitor.get(PEOPLE, status=403)
    page = visitor.get(RUN)
    assert "Only an operator can do this." in page.text
    assert ANA not in page.text


def test_a_dry_run_that_is_blocked_says_why(lab: Lab, visitor: Visitor) -> None:
    lab.store(recipe(settings__testUserIds=[]))
    forms = visitor.get(RUN).forms
    fields = next(each.fields for each in forms if each.fields.get("mode") == ["real-dry-run"])
    page = Page(visitor.post(RUN, fields, status=200).text)
    assert "Blocked: 9 of 9 people would qualify, but this can't send until you change its test users." in page.text
