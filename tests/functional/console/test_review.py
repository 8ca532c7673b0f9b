"""The review before a campaign becomes active: who, when, what, what blocks, and how it is confirmed."""

from datetime import timedelta

import pytest

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import State
from functions.domain.roles import Role
from functions.usecases.dry_run.preview import preview
from functions.usecases.people.testers import add_tester
from functions.usecases.recipes import activate
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor, path_of

AT = "/recipes/welcome"
REVIEW, CHECK, ACTIVATE = f"{AT}/review", f"{AT}/review/check", f"{AT}/activate"
EDIT = f"{AT}/edit"


def status(lab: Lab) -> str:
    document = lab.ports.recipes.get("welcome")
    assert document is not None
    return str(document["status"])


def links(page: Page) -> list[str]:
    return [values["href"] for tag, values in page.elements if tag == "a"]


def test_the_page_is_there_before_the_numbers_and_loads_them(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    page = visitor.get(REVIEW)
    assert "Checking who would receive it now" in page.text
    assert "Mon 2 Mar, 18:30 UTC" in page.text
    assert "18:05 Test pushes, until 18:30 anyone can cancel" in page.text
    assert CHECK in links(page), "without scripts a link checks"
    assert any(values.get("hx-get") == CHECK for _, values in page.elements)
    assert not any(form.action == ACTIVATE for form in page.forms), "nothing is activated unseen"


def test_it_is_activated_after_the_numbers_and_says_the_first_send(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    page = visitor.get(CHECK)
    assert "9 people would receive it now" in page.text
    assert "Push 1 for Name" in page.text, "with the values of a person"
    done = visitor.send(CHECK, ACTIVATE)
    assert "Activated. First send: Mon 2 Mar, 18:30 UTC." in visitor.get(done.headers["Location"]).text
    assert status(lab) == "active"
    assert lab.ports.audit.of_recipe("welcome", most=1)[0].deed.by == "ana@kicks.example"


def test_what_blocks_names_its_field_and_the_use_case_refuses_it(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft", settings__safeguards={"maxAudienceSize": 3}))
    page = visitor.get(CHECK)
    assert "Can't activate this campaign. Fix" in page.text
    assert f"{EDIT}#settings.safeguards.maxAudienceSize" in links(page)
    assert not any(form.action == ACTIVATE for form in page.forms)
    found = activate.review(lab.ports, "welcome").reviewed
    with pytest.raises(NotPossible, match="fix what its review names first"):
        activate.activate_recipe(lab.ports, "welcome", found, by="ana@kicks.example")
    assert status(lab) == "draft"


def test_a_field_that_saving_would_refuse_blocks_without_the_numbers(lab: Lab, visitor: Visitor) -> None:
    lab.store(recipe(status="draft", schedule__frequency="once", schedule__startDate="2026-03-01"))
    page = visitor.get(REVIEW)
    assert "Fix 1 problem: First day: no send is left" in page.text
    assert f"{EDIT}#schedule.startDate" in links(page)


def test_a_request_without_a_review_activates_nothing(lab: Lab, visitor: Visitor) -> None:
    visitor.send(AT, f"{AT}/pause")
    resume = visitor.get(AT).form(f"{AT}/resume").fields
    lab.save(recipe(status="draft"))
    assert path_of(visitor.post(f"{AT}/resume", resume, status=303)) == REVIEW
    fields = visitor.get(CHECK).form(ACTIVATE).fields
    assert "the check has expired" in visitor.post(ACTIVATE, {**fields, "review": "x"}, status=422).text
    lab.clock.advance_to(lab.clock.now() + timedelta(minutes=61))
    assert "the check has expired" in visitor.post(ACTIVATE, fields, status=422).text
    assert status(lab) == "draft"


def test_many_people_take_their_number(lab: Lab, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activate, "CONFIRM_ABOVE", 8)
    lab.save(recipe(status="draft"))
    page = visitor.get(CHECK)
    assert "Type the number of people to confirm" in page.text
    fields = page.form(ACTIVATE).fields
    for wrong in ("", "8", "nine"):
        refused = Page(visitor.post(ACTIVATE, {**fields, "people": wrong}, status=422).text)
        assert f"Nothing was activated: you typed {wrong or 'nothing'}" in refused.text
        assert status(lab) == "draft"
    visitor.post(ACTIVATE, {**fields, "people": " 9 "}, status=303)
    assert status(lab) == "active"


@pytest.mark.parametrize(
    "typed", ["1200", "1,200", "1.200", "1 200", "1\u00a0200", "1\u202f200", "1'200", "1\u2019200"]
)
def test_a_number_is_typed_with_any_separator(lab: Lab, visitor: Visitor, typed: str) -> None:
    lab.write_users({"a": range(1200), "b": (), "c": ()})
    lab.save(recipe(status="draft", pushSequence=[push(1)]))
    fields = visitor.get(CHECK).form(ACTIVATE).fields
    visitor.post(ACTIVATE, {**fields, "people": typed}, status=303)
    assert status(lab) == "active"


def test_a_change_since_the_numbers_shows_the_new_review(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    fields = visitor.get(CHECK).form(ACTIVATE).fields
    lab.save(recipe(status="draft", name="Other"))
    page = Page(visitor.post(ACTIVATE, fields, status=409).text)
    assert "this campaign has changed since the check. Here is the new review." in page.text
    assert "Checking who would receive it now" in page.text
    assert status(lab) == "draft"


def test_an_empty_audience_warns_and_is_never_green(lab: Lab, visitor: Visitor) -> None:
    lab.write_users({"a": (), "b": (), "c": ()})
    lab.save(recipe(status="draft", pushSequence=[push(1)]))
    page = visitor.get(CHECK)
    assert "0 people would receive it now" in page.text
    assert "2 warnings. You can still activate: Push 1 (a) is empty: its push reaches no user." in page.text
    assert not any("good" in values.get("class", "").split() for _, values in page.elements)
    visitor.send(CHECK, ACTIVATE)
    assert status(lab) == "active"


def test_a_paused_campaign_goes_on_at_once_unless_it_was_changed(lab: Lab, visitor: Visitor) -> None:
    visitor.send(AT, f"{AT}/pause")
    done = visitor.send(AT, f"{AT}/resume")
    assert "Resumed. Next send: Mon 2 Mar, 18:30 UTC." in visitor.get(done.headers["Location"]).text
    visitor.send(AT, f"{AT}/pause")
    visitor.send(EDIT, EDIT, {"name": "Other"})
    assert path_of(visitor.send(AT, f"{AT}/resume")) == REVIEW
    assert status(lab) == "paused"
    visitor.send(CHECK, ACTIVATE)
    visitor.send(AT, f"{AT}/pause")
    lab.ports.recipes.change("welcome", lambda document: {**(document or {}), "name": "By hand"})
    assert path_of(visitor.send(AT, f"{AT}/resume")) == REVIEW


def test_the_form_saves_a_draft_or_goes_on_to_the_review(lab: Lab, visitor: Visitor) -> None:
    assert path_of(visitor.send(EDIT, EDIT, {"then": "review"})) == AT, "an active campaign is saved"
    lab.save(recipe(status="draft"))
    assert path_of(visitor.send(EDIT, EDIT)) == AT
    assert path_of(visitor.send(EDIT, EDIT, {"then": "review"})) == REVIEW
    assert path_of(visitor.send(EDIT, EDIT, {"status": "active"})) == REVIEW
    assert status(lab) == "draft"


def test_only_operators_review(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    visitor.become(Role.VIEWER)
    for path in (REVIEW, CHECK):
        visitor.get(path, status=403)
    assert "Review and activate" not in visitor.get(AT).text


def test_an_active_campaign_needs_no_review(visitor: Visitor) -> None:
    assert path_of(visitor.open("GET", REVIEW)) == AT


def test_a_campaign_without_test_users_says_what_to_add(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft", settings={}))
    page = visitor.get(CHECK)
    assert "Test users: add at least one. Each send goes to them first, and is blocked without one." in page.text
    assert "DEFAULT_TEST_USER_IDS" not in page.text
    assert f"{EDIT}#settings.testUserIds" in links(page)


def test_a_new_campaign_is_tested_on_the_person_who_creates_it(lab: Lab, visitor: Visitor) -> None:
    new = "/recipes/new"
    assert visitor.get(new).form(new).fields["settings.testUserIds"] == [""]
    add_tester(lab.ports, name="Ana", user_id=user(1), email="ana@kicks.example", by="ana@kicks.example")
    assert visitor.get(new).form(new).fields["settings.testUserIds"] == [user(1)]


def test_a_test_user_without_a_device_blocks_and_is_named(lab: Lab, visitor: Visitor) -> None:
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=(1,))
    add_tester(lab.ports, name="Bo", user_id=user(1), by="ana@kicks.example")
    lab.save(recipe(status="draft", settings__testUserIds=[TESTER, user(1)]))
    page = visitor.get(CHECK)
    assert "Can't activate this campaign. Fix 1 problem" in page.text
    assert "1 of 2 test users would not get it: a test user has no device token" in page.text
    assert f"Bo ({user(1)}): each send is blocked unless every test user gets its test." in page.text
    assert f"{EDIT}#settings.testUserIds" in links(page)
    assert not any(form.action == ACTIVATE for form in page.forms)


def test_a_test_that_is_not_required_only_warns_of_such_a_test_user(lab: Lab, visitor: Visitor) -> None:
    safeguards = {"requireTestFirst": False}
    lab.save(recipe(status="draft", settings={"testUserIds": [TESTER, user(99)], "safeguards": safeguards}))
    page = visitor.get(CHECK)
    assert "1 warning. You can still activate" in page.text
    assert f"{user(99)}: sends go on without their test." in page.text
    visitor.send(CHECK, ACTIVATE)
    assert status(lab) == "active"


@pytest.mark.parametrize("required", [True, False])
def test_the_send_does_with_such_a_test_user_what_the_review_says(lab: Lab, required: bool) -> None:
    safeguards = {"requireTestFirst": required}
    lab.save(recipe(settings={"testUserIds": [TESTER, user(99)], "safeguards": safeguards}))
    lab.run_to_the_end()
    assert lab.execution().state is (State.BLOCKED if required else State.COMPLETED)


def test_a_dry_run_says_what_the_test_misses_but_not_to_viewers_which_user(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(settings__testUserIds=[user(99)]))
    found = preview(lab.ports, recipe(settings__testUserIds=[user(99)]), test=False)
    assert [each.user_id for each in found.missed_testers] == [user(99)]
    assert not found.valid
    assert user(99) not in str(found.without_messages())
    page = Page(visitor.send(f"{AT}/run", f"{AT}/run", {"mode": "real-dry-run"}, status=200).text)
    assert "this can't send until you change its test users" in page.text


def test_a_send_nearer_than_the_lead_time_shows_no_time_that_is_past(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    lab.clock.advance_to(SEND_AT - timedelta(minutes=20))
    for path in (REVIEW, CHECK):
        text = visitor.get(path).text
        assert "At once Audience is built Then Test pushes, until 18:30 anyone can cancel" in text
        assert "Preparing starts as soon as it is active, with 20 of its 30 minutes to test and cancel." in text
        assert "18:00" not in text
    visitor.send(CHECK, ACTIVATE)
    lab.run_to(SEND_AT - timedelta(minutes=19))
    assert lab.execution().state is State.TESTED, "as the review says"


def test_only_the_steps_that_are_late_have_no_time(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    lab.clock.advance_to(SEND_AT - timedelta(minutes=28))
    assert "At once Audience is built 18:05 Test pushes, until 18:30" in visitor.get(REVIEW).text


def test_a_send_that_is_too_near_is_passed_over_and_the_review_says_so(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    lab.clock.advance_to(SEND_AT - timedelta(minutes=9))
    text = visitor.get(REVIEW).text
    assert "Tue 3 Mar, 18:30 UTC" in text
    assert "2026-03-02 18:30 UTC is not sent: it is 9 minutes away" in text
    assert "the earliest time is now 2026-03-02 18:31 in UTC" in text
    assert "18:00 Audience is built 18:05 Test pushes" in text
