"""Recipes on pages: made, changed, copied, tried and run; errors stand beside their fields, and nothing is lost."""

import re
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.roles import Role
from functions.handlers.console.forms.field_labels import label_of
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.console.visitor import Page, Visitor, path_of

EDIT = "/recipes/welcome/edit"
RUN = "/recipes/welcome/run"


def stored(lab: Lab, recipe_id: str = "welcome") -> dict[str, Any]:
    document = lab.ports.recipes.get(recipe_id)
    assert document is not None
    return document


def test_a_form_that_is_sent_as_it_is_changes_nothing(lab: Lab, visitor: Visitor) -> None:
    written = recipe(
        description="Two\nlines", metadata={"owner": "growth"}, schedule__note="ours", settings__maxLatenessMinutes=7
    )
    lab.save(written)
    before = stored(lab)
    visitor.send(EDIT, EDIT)
    after = stored(lab)
    assert {**after, "updatedAt": ""} | {"audienceCriteria": "", "settings": ""} == {**before, "updatedAt": ""} | {
        "audienceCriteria": "",
        "settings": "",
    }
    assert after["settings"] == {
        **before["settings"],
        "safeguards": {"requireTestFirst": True, "requireImages": False},
    }


@pytest.mark.slow
def test_errors_stand_beside_their_fields_and_everything_that_was_written_stays(lab: Lab, visitor: Visitor) -> None:
    before = stored(lab)
    response = visitor.send(
        EDIT,
        EDIT,
        {
            "name": "New name",
            "schedule.executionTime": "25:99",
            "schedule.leadTimeMinutes": "soon",
            "audienceCriteria.customScript.parameters": "{no json",
            "pushSequence[1].title": "Hi [[vra:name]]",
        },
        status=422,
    )
    page = Page(response.text)
    assert "Not saved. Fix 4 problems:" in page.text
    told = "Parameters of the job: This isn't valid JSON. Example: "
    assert told in page.text
    assert "Push 2, title: malformed variable" in page.text
    described = {
        values["name"]: values["aria-describedby"]
        for _, values in page.elements
        if values.get("aria-invalid") == "true"
    }
    assert set(described) == {
        *("schedule.executionTime", "schedule.leadTimeMinutes", "pushSequence[1].title"),
        "audienceCriteria.customScript.parameters",
    }
    ids = {values.get("id") for _, values in page.elements}
    assert all(set(names.split()) <= ids for names in described.values())
    fields = page.form(EDIT).fields
    assert fields["name"] == ["New name"]
    assert fields["schedule.executionTime"] == ["25:99"]
    assert fields["pushSequence[1].title"] == ["Hi [[vra:name]]"]
    assert stored(lab) == before


def test_what_a_person_has_to_choose_is_asked_for_together_with_all_else_that_is_wrong(
    lab: Lab, visitor: Visitor
) -> None:
    before = stored(lab)
    written = {
        "name": "",
        "schedule.frequency": "weekly",
        "settings.testUserIds": "ana@kicks.example",
        "pushSequence[0].title": "",
        "pushSequence[0].body": "",
        "pushSequence[1].title": "Hi {{name}}",
        "pushSequence[2].deepLink": "https://",
    }
    page = Page(visitor.send(EDIT, EDIT, written, status=422).text)
    assert "Not saved. Fix 6 problems:" in page.text
    for told in (
        "Name: is missing",
        "Days of the week: is missing: choose at least one day",
        'Test users: "ana@kicks.example" is not a UUID',
        "Push 1, title: is blank, and so is the body",
        "Push 2, title: '{{name}}' looks like a variable of another product; write [[var:name]]",
        "Push 3, link: 'https://' names no host",
    ):
        assert told in page.text
    page = Page(visitor.send(EDIT, EDIT, {"schedule.frequency": "monthly"}, status=422).text)
    assert "Day of the month: is missing" in page.text
    assert stored(lab) == before


def test_a_push_may_be_meant_literally(lab: Lab, visitor: Visitor) -> None:
    literal = {"pushSequence[0].title": "Type {{name}}", "pushSequence[0].literalText": "yes"}
    visitor.send(EDIT, EDIT, literal, status=303)
    assert stored(lab)["pushSequence"][0]["literalText"] is True
    assert visitor.get(EDIT).form(EDIT).fields["pushSequence[0].literalText"] == ["yes"]
    assert "literalText" not in stored(lab)["pushSequence"][1]


@pytest.mark.long
def test_a_dry_run_that_reaches_no_user_is_not_green(lab: Lab, visitor: Visitor) -> None:
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=range(9))
    page = Page(visitor.send(RUN, RUN, {"mode": "real-dry-run"}, status=200).text)
    assert "Blocked: 0 of 9 people would qualify" in page.text
    assert "but this can't send until" in page.text
    assert "no user would get anything: all 9 users are excluded (9 no_token)" in page.text


def test_a_change_that_another_person_overtook_is_not_saved_and_says_whose_it_was(lab: Lab, visitor: Visitor) -> None:
    mine = visitor.get(EDIT).form(EDIT).fields
    visitor.become(Role.ADMIN, "ben@kicks.example")
    visitor.send(EDIT, EDIT, {"name": "Ben's"})
    visitor.become(Role.ADMIN)
    response = visitor.post(EDIT, {**mine, "name": "Ana's"}, status=409)
    page = Page(response.text)
    assert "ben@kicks.example has changed this campaign" in page.text
    assert "Welcome became Ben's" in page.text
    assert stored(lab)["name"] == "Ben's"
    visitor.post(EDIT, page.form(EDIT).fields, status=303)
    assert stored(lab)["name"] == "Ana's"


def test_what_the_form_does_not_show_stays_with_its_push_after_a_conflict(lab: Lab, visitor: Visitor) -> None:
    first, second, third = (push(n, title=f"Title {n}", ours={"of": n}, timing={"note": n}) for n in (1, 2, 3))
    lab.save(recipe(pushSequence=[first, second, third]))
    mine = visitor.get(EDIT).form(EDIT).fields
    inserted = push(2, title="Inserted", ours={"of": "Ben"})
    changed = third | {"title": "Ben's", "sequenceOrder": 1}
    moved = second | {"sequenceOrder": 3, "ours": {"of": 2, "seen": True}}
    lab.save(recipe(pushSequence=[changed, inserted, moved]))
    page = Page(visitor.post(EDIT, {**mine, "name": "Ana's"}, status=409).text)
    visitor.post(EDIT, page.form(EDIT).fields, status=303)
    kept = [(each["title"], each["ours"], each["timing"]["note"]) for each in stored(lab)["pushSequence"]]
    assert kept == [("Title 1", {"of": 1}, 1), ("Title 2", {"of": 2, "seen": True}, 2), ("Title 3", {"of": 3}, 3)]


@pytest.mark.parametrize(
    "origin", ["", "{", "[]", "7", '{"kept": 5}', '{"kept": {"ours": 1}, "texts": []}', "[" * 100_000]
)
def test_a_hidden_field_that_was_changed_breaks_nothing(origin: str, lab: Lab, visitor: Visitor) -> None:
    visitor.send(EDIT, EDIT, {"pushSequence[0].from": origin, "pushSequence[0].title": "New"})
    assert stored(lab)["pushSequence"][0]["title"] == "New"


@pytest.mark.slow
def test_moving_a_send_under_way_asks_in_the_form_what_becomes_of_it(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(START_AT + timedelta(minutes=2))
    response = visitor.send(EDIT, EDIT, {"schedule.executionTime": "18:45"}, status=409)
    page = Page(response.text)
    assert "a send is in progress" in page.text
    assert "Keep it. The new schedule starts Tue 3 Mar, 18:45" in page.text
    assert "Cancel it. The new schedule starts Mon 2 Mar, 18:45" in page.text
    assert stored(lab)["schedule"]["executionTime"] == "18:30"
    visitor.post(EDIT, {**page.form(EDIT).fields, "underway": ["replace"]}, status=303)
    assert stored(lab)["firstSendAt"] == "2026-03-02T18:45:00Z"


def test_pushes_are_added_and_removed_without_losing_what_was_written(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(pushSequence=[push(1, ours="a"), push(2, ours="b"), push(3, ours="c")]))
    page = Page(visitor.send(EDIT, EDIT, {"remove": "1", "name": "Changed"}, status=200).text)
    fields = page.form(EDIT).fields
    assert fields["name"] == ["Changed"]
    page = Page(visitor.post(EDIT, {**fields, "add": "yes"}, status=200).text)
    last = {"title": "Third", "body": "Body", "layerId": "1", "audienceName": "b"}
    fields = page.form(EDIT).fields | {f"pushSequence[2].{name}": [value] for name, value in last.items()}
    visitor.post(EDIT, fields, status=303)
    pushes = stored(lab)["pushSequence"]
    assert [(each["title"], each.get("ours")) for each in pushes] == [
        ("Push 1 for [[var:name]]", "a"),
        ("Push 3 for [[var:name]]", "c"),
        ("Third", None),
    ]


def test_a_recipe_is_made_on_a_page(lab: Lab, visitor: Visitor) -> None:
    fields = {
        "name": "Spring",
        "schedule.executionTime": "09:30",
        "schedule.frequency": "weekly",
        "schedule.daysOfWeek": ["1", "5"],
        "audienceCriteria.query": '{"filters": {"lastActiveDays": 30}}',
        "pushSequence[0].title": "Hello",
        "pushSequence[0].body": "Spring is here",
        "pushSequence[0].layerId": "2",
        "settings.testUserIds": "00000000-0000-4000-8000-00000000000a",
        "status": "active",
    }
    response = visitor.send("/recipes/new", "/recipes/new", fields)
    assert path_of(response) == "/recipes/spring/review"
    assert stored(lab, "spring")["status"] == "draft", "the form activates nothing"
    page = visitor.get("/recipes/spring")
    assert "Every Monday and Friday at 09:30 UTC" in page.text
    assert "Users active in the last 30 days" in page.text
    assert (
        "there is a campaign 'spring' already"
        in Page(visitor.send("/recipes/new", "/recipes/new", fields, status=422).text).text
    )


def test_a_copy_is_a_draft_with_all_that_the_form_does_not_know(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(metadata={"owner": "growth"}))
    response = visitor.send("/recipes/new?from=welcome", "/recipes/new")
    assert path_of(response) == "/recipes/welcome-copy"
    copy = stored(lab, "welcome-copy")
    assert (copy["status"], copy["metadata"], len(copy["pushSequence"])) == ("draft", {"owner": "growth"}, 3)


def test_a_recipe_is_paused_resumed_and_deleted(lab: Lab, visitor: Visitor) -> None:
    visitor.send("/recipes/welcome", "/recipes/welcome/pause")
    assert stored(lab)["status"] == "paused"
    visitor.send("/recipes/welcome", "/recipes/welcome/resume")
    assert stored(lab)["status"] == "active"
    visitor.send("/recipes/welcome/delete", "/recipes/welcome/delete")
    assert lab.ports.recipes.get("welcome") is None


@pytest.mark.long
def test_a_dry_run_shows_the_users_it_would_reach_and_sends_nothing(lab: Lab, visitor: Visitor) -> None:
    visitor.become(Role.VIEWER)
    form = next(form for form in visitor.get("/recipes/welcome/run").forms if form.fields["mode"] == ["real-dry-run"])
    page = Page(visitor.post(form.action, form.fields, status=200).text)
    assert "9 of 9 people would get 9 messages" in page.text
    assert "Push 1 for Name" not in page.text, "a viewer sees no values of a user"
    assert lab.outbox() == []
    assert visitor.post(form.action, {**form.fields, "mode": "live-send", "sure": "yes"}).status_code == 403
    visitor.become(Role.OPERATOR)
    form = next(form for form in visitor.get("/recipes/welcome/run").forms if form.fields["mode"] == ["real-dry-run"])
    assert "Push 1 for Name" in Page(visitor.post(form.action, form.fields, status=200).text).text


def test_executing_now_takes_a_tick_and_starts_once_however_often_it_is_sent(lab: Lab, visitor: Visitor) -> None:
    forms = visitor.get("/recipes/welcome/run").forms
    form = next(form for form in forms if form.fields["mode"] == ["live-send"])
    assert "Nothing was started" in visitor.post(form.action, form.fields, status=422).text
    first = visitor.post(form.action, {**form.fields, "sure": "yes"}, status=303)
    lab.clock.advance_to(lab.clock.now() + timedelta(seconds=5))
    again = visitor.post(form.action, {**form.fields, "sure": "yes"}, status=303)
    assert first.headers["Location"] == again.headers["Location"]
    assert len(lab.ports.executions.unfinished()) == 1


def test_a_recipe_that_was_broken_by_hand_is_shown_with_what_is_wrong(lab: Lab, visitor: Visitor) -> None:
    lab.ports.recipes.change("broken", lambda _: {"id": "broken", "status": "active", "schedule": 7})
    assert "must be an object" in visitor.get("/recipes/broken").text
    assert "broken" in visitor.get("/recipes").text
    assert visitor.get("/").text
    assert visitor.get("/recipes/broken/edit").form("/recipes/broken/edit")


@pytest.mark.long
@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", "{{ 7777*7 }}"])
def test_hostile_text_stays_text_on_every_page(hostile: str, lab: Lab, visitor: Visitor) -> None:
    lab.write_users({"a": range(1)})
    lab.write_rows(
        [(hostile, hostile, hostile, "a"), ("10000000-0000-4000-8000-000000000001", hostile, hostile, "a")]
    )
    lab.save(recipe(name=hostile, description=hostile, metadata={hostile: hostile}, pushSequence=[push(1)]))
    lab.run_to(SEND_AT + timedelta(hours=1))
    paths = [
        "/",
        "/recipes",
        "/recipes/welcome",
        EDIT,
        "/recipes/welcome/run",
        "/executions",
        f"/executions/{lab.id}",
    ]
    paths += [
        "/calendar",
        "/audit",
        "/recipes/new?from=welcome",
        f"/recipes?after={hostile}",
        f"/audit?recipe={hostile}",
    ]
    for path in paths:
        html = visitor.open("GET", path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "54439" not in html
    look_up = visitor.send("/people", "/people", {"user": hostile}, status=422)
    assert "<script>alert" not in look_up.text
    assert "<img src=x" not in look_up.text


@pytest.mark.long
def test_pausing_names_the_send_that_it_cancels_and_asks_first(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    asked = visitor.send("/recipes/welcome", "/recipes/welcome/pause", status=200)
    page = Page(asked.text)
    assert "Pausing cancels this send. This can't be undone: Mon 2 Mar, 18:30" in page.text
    assert stored(lab)["status"] == "active"
    assert lab.execution().state.value == "tested"
    done = visitor.post("/recipes/welcome/pause", page.form("/recipes/welcome/pause").fields, status=303)
    told = visitor.get(done.headers["Location"]).text
    assert "Paused. Nothing will be sent until you resume it. 1 send was cancelled: Mon 2 Mar, 18:30 UTC." in told
    assert lab.execution().state.value == "cancelled"


@pytest.mark.long
def test_pausing_while_a_send_is_live_says_that_it_goes_on(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    form = Page(visitor.send("/recipes/welcome", "/recipes/welcome/pause", status=200).text)
    lab.run_to(SEND_AT + timedelta(minutes=1))
    done = visitor.post("/recipes/welcome/pause", form.form("/recipes/welcome/pause").fields, status=303)
    told = visitor.get(done.headers["Location"]).text
    assert "Paused. No further send starts until you resume it." in told
    assert "is live and goes on. Stop it" in told
    lab.run_to_the_end()
    assert "goes on" not in visitor.get("/recipes/welcome").text


def test_pausing_with_nothing_under_way_asks_nothing_and_says_so(visitor: Visitor) -> None:
    done = visitor.send("/recipes/welcome", "/recipes/welcome/pause")
    told = visitor.get(done.headers["Location"]).text
    assert "Nothing will be sent until you resume it." in told
    assert "cancelled" not in told


def test_resuming_says_when_the_next_send_is(visitor: Visitor) -> None:
    visitor.send("/recipes/welcome", "/recipes/welcome/pause")
    done = visitor.send("/recipes/welcome", "/recipes/welcome/resume")
    assert "Resumed. Next send: Mon 2 Mar, 18:30 UTC." in visitor.get(done.headers["Location"]).text


@pytest.mark.long
@pytest.mark.parametrize("status", ["paused", "draft", "archived"])
def test_a_form_that_stops_a_recipe_asks_before_it_cancels(status: str, lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    page = Page(visitor.send(EDIT, EDIT, {"status": status, "name": "New"}, status=200).text)
    assert "Saving cancels this send. This can't be undone" in page.text
    assert (stored(lab)["status"], lab.execution().state.value) == ("active", "tested")
    done = visitor.post(EDIT, page.form(EDIT).fields, status=303)
    assert "1 send was cancelled: Mon 2 Mar, 18:30 UTC." in visitor.get(done.headers["Location"]).text
    assert (stored(lab)["status"], stored(lab)["name"], lab.execution().state.value) == (status, "New", "cancelled")


def test_deleting_names_the_send_that_it_cancels(lab: Lab, visitor: Visitor) -> None:
    form = visitor.get("/recipes/welcome/delete").form("/recipes/welcome/delete").fields
    lab.run_to(SEND_AT - timedelta(minutes=10))
    page = Page(visitor.post("/recipes/welcome/delete", form, status=200).text)
    assert "Deleting cancels this send. This can't be undone: Mon 2 Mar, 18:30" in page.text
    assert stored(lab)
    visitor.post("/recipes/welcome/delete", page.form("/recipes/welcome/delete").fields, status=303)
    assert lab.execution().state.value == "cancelled"


@pytest.mark.slow
def test_a_cancelled_send_is_announced_nowhere(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=10))
    overview = visitor.get("/")
    assert overview.text.count("Mon 2 Mar, 18:30 UTC") == 1  # running now, and so not among the next sends
    assert "18:30 UTC Waiting" in visitor.get("/recipes/welcome").text
    at = f"/executions/{lab.id}"
    visitor.send(f"{at}/confirm", f"{at}/cancel", {"reason": "wrong shoes"})
    overview = visitor.get("/")
    assert "No sends yet" not in overview.text
    assert overview.text.count("wrong shoes (ana@kicks.example)") == 2  # among the next sends, and the last ones
    struck = [values["datetime"] for values in inside(overview, "del", "time")]
    assert struck == ["2026-03-02T18:30:00Z"]
    for path in ("/recipes/welcome", "/calendar", "/calendar?day=2026-03-02&zone=UTC"):
        page = visitor.get(path)
        assert "Cancelled" in page.text, path
        assert any(tag == "del" for tag, _ in page.elements), path
    assert "30 sends. Times in UTC" in visitor.get("/calendar").text
    assert "Tue 3 Mar, 18:30" in visitor.get("/recipes").text
    assert "Mon 2 Mar, 18:30" not in visitor.get("/recipes").text


def inside(page: Page, outer: str, inner: str) -> list[dict[str, str]]:
    """The attributes of elements that follow an opening of another."""
    tags = page.elements
    return [
        values
        for (before, _), (_, _), (tag, values) in zip(tags, tags[1:], tags[2:], strict=False)
        if (before, tag) == (outer, inner)
    ]


@pytest.mark.usefixtures("lab")
def test_the_page_after_a_save_tells_which_send_it_passed_over(visitor: Visitor) -> None:
    response = visitor.send(EDIT, EDIT, {"schedule.executionTime": "16:05"})
    shown = visitor.get(response.headers["Location"]).text
    assert "is not sent: " in shown
    assert "; the earliest time is now " in shown


def test_no_link_puts_words_into_the_console(lab: Lab, visitor: Visitor) -> None:
    response = visitor.send(EDIT, EDIT, {"schedule.executionTime": "16:05"})
    _, _, signed = response.headers["Location"].partition("notices=")
    lab.save(recipe(id="other"))
    assert "is not sent: " not in visitor.get(f"/recipes/other?notices={signed}").text
    visitor.get("/recipes/welcome?notices=WyJoaSJd.abc")


def test_a_list_of_problems_calls_each_field_as_the_form_does(visitor: Visitor) -> None:
    form = visitor.open("GET", EDIT).text
    labels = dict(re.findall(r'<label for="([^"]+)">([^<]+)</label>', form))
    known = {field: label_of(field) for field in labels if label_of(field) != field and "[" not in field}
    assert len(known) > 15
    assert known == {field: re.sub(r" \(\w+ only\)$", "", labels[field]) for field in known}
