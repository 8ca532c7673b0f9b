"""The schedule of the campaign form: typed days, times and zones, the live answer, and skipping one send."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.execution.safeguards import ViolationType
from functions.domain.roles import Role
from functions.handlers.console.forms.live_schedule import live_schedule
from functions.handlers.console.forms.when_typed import Mistyped, read_clock, read_when
from functions.handlers.console.forms.zone_search import find_zones, read_zone
from functions.ports.executions import ExecutionSearch
from functions.usecases.timeline.reconcile import reconcile
from tests.factories import recipe
from tests.functional.conftest import SEND_AT, Lab
from tests.functional.console.visitor import Page, Visitor

EDIT, NEW, LIVE = "/recipes/welcome/edit", "/recipes/new", "/recipes/schedule"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOW = datetime(2026, 11, 29, 17, 0)


def stored(lab: Lab, recipe_id: str = "welcome") -> dict[str, Any]:
    document = lab.ports.recipes.get(recipe_id)
    assert document is not None
    return document


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("17:30", "17:30"),
        ("5:30 pm", "17:30"),
        ("5:30pm", "17:30"),
        ("1730", "17:30"),
        ("9am", "09:00"),
        ("12am", "00:00"),
        ("noon", "12:00"),
        ("Friday", "2026-12-04"),
        ("fri", "2026-12-04"),
        ("Friday 17:30", "2026-12-04 17:30"),
        ("friday at 5", None),
        ("friday 0900", "2026-12-04 09:00"),
        ("today", "2026-11-29"),
        ("tomorrow 9am", "2026-11-30 09:00"),
        ("in 3 days", "2026-12-02"),
        ("next week", "2026-12-06"),
        ("next monday", "2026-11-30"),
        ("next sunday", "2026-12-06"),
        ("Sunday", "2026-12-06"),
        ("Sunday 18:00", "2026-11-29 18:00"),
        ("Sunday 16:00", "2026-12-06 16:00"),
        ("4 Dec", "2026-12-04"),
        ("4 Dec at 17:30", "2026-12-04 17:30"),
        ("Fri 4 Dec 2026, 17:30", "2026-12-04 17:30"),
        ("December 4th, 2027", "2027-12-04"),
        ("28 nov", "2027-11-28"),
        ("29 feb", "2028-02-29"),
        ("2026-12-04", "2026-12-04"),
        ("2026-12-04T17:30", "2026-12-04 17:30"),
        ("2020-01-01", "2020-01-01"),
        ("04/12", None),
        ("4.12.2026", None),
        ("31 feb", None),
        ("2026-02-30", None),
        ("25:00", None),
        ("13pm", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_day_and_a_time_are_read_as_people_type_them(typed: str, meant: str | None) -> None:
    try:
        found = read_when(typed, NOW)
    except Mistyped:
        assert meant is None
        return
    day, clock = found.day, f"{found.clock:%H:%M}" if found.clock else None
    assert (" ".join(str(each) for each in (day, clock) if each) or None) == meant


def test_what_can_mean_two_days_is_refused_with_both() -> None:
    with pytest.raises(Mistyped, match=r"04/12 can mean two days. Write 4 Dec or 12 Apr"):
        read_when("04/12", NOW)
    with pytest.raises(Mistyped, match=r"^Use 24-hour time, e.g. 17:30$"):
        read_clock("half past five", NOW)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("Munich", "Europe/Berlin"),
        ("japan", "Asia/Tokyo"),
        ("CET", "Europe/Berlin"),
        ("EST", "America/New_York"),
        ("utc", "UTC"),
        ("Europe/Kiev", "Europe/Kiev"),
    ],
)
def test_a_zone_is_found_by_city_country_or_abbreviation(typed: str, zone: str) -> None:
    assert read_zone(typed) == zone


def test_a_text_that_fits_several_zones_names_them() -> None:
    with pytest.raises(Mistyped, match=r"'usa' matches several time zones. Write one: America/New_York, .* and "):
        read_zone("usa")
    with pytest.raises(Mistyped, match=r"No time zone matches 'atlantis'. Write a large city"):
        read_zone("atlantis")
    [kolkata] = find_zones("mumbai", datetime(2026, 11, 29, 17, 0, tzinfo=UTC))
    assert (kolkata.name, kolkata.clock, kolkata.offset) == ("Asia/Kolkata", "22:30", "UTC+5:30")


def test_what_is_typed_is_stored_as_the_document_wants_it(lab: Lab, visitor: Visitor) -> None:
    typed = {"schedule.frequency": "once", "schedule.timezone": "new york", "schedule.executionTime": ""}
    visitor.send(EDIT, EDIT, {**typed, "schedule.startDate": "Friday 5:30 pm"})
    schedule = stored(lab)["schedule"]
    assert (schedule["startDate"], schedule["executionTime"]) == ("2026-03-06", "17:30")
    assert schedule["timezone"] == "America/New_York"


def test_what_cannot_be_read_is_named_beside_its_field_and_kept(lab: Lab, visitor: Visitor) -> None:
    before = stored(lab)
    typed = {"schedule.executionTime": "half five", "schedule.startDate": "04/12", "schedule.timezone": "usa"}
    page = Page(visitor.send(EDIT, EDIT, typed, status=422).text)
    assert "Not saved. Fix 3 problems:" in page.text
    assert "Send time: Use 24-hour time, e.g. 17:30" in page.text
    assert "First day: 04/12 can mean two days. Write 4 Dec or 12 Apr" in page.text
    assert {name: page.form(EDIT).fields[name] for name in typed} == {name: [text] for name, text in typed.items()}
    assert stored(lab) == before


def test_a_day_and_a_time_that_contradict_each_other_are_refused(visitor: Visitor) -> None:
    typed = {"schedule.startDate": "Friday 17:30", "schedule.executionTime": "18:00"}
    page = Page(visitor.send(EDIT, EDIT, typed, status=422).text)
    assert "First day: says 17:30, and the other field says 18:00. Write it in one of them" in page.text


def test_fields_that_the_frequency_does_not_use_keep_their_values(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(schedule__frequency="weekly", schedule__daysOfWeek=[1, 3]))
    visitor.send(EDIT, EDIT, {"schedule.frequency": "daily"})
    assert stored(lab)["schedule"]["daysOfWeek"] == [1, 3]


def live(visitor: Visitor, **fields: str) -> str:
    """The live answer to fields of the schedule."""
    [token] = [
        json.loads(each["hx-vals"])["csrf"] for _, each in visitor.get(NEW).elements if each.get("hx-post") == LIVE
    ]
    named = {f"schedule.{name}": value for name, value in fields.items()}
    return Page(visitor.post(LIVE, {"csrf": token, **named}, status=200).text).text


def test_the_live_answer_has_the_sentence_the_next_sends_and_the_earliest_one(lab: Lab, visitor: Visitor) -> None:
    lab.clock.advance_to(SEND_AT - 60 * MINUTE)
    text = live(visitor, frequency="weekly", executionTime="5:30 pm", daysOfWeek="5", timezone="berlin")
    assert "Every Friday at 17:30 Berlin" in text
    assert "Fri 6 Mar 2026, 17:30 in 4 days" in text
    assert "Fri 3 Apr 2026, 17:30 The clocks change before this send: 15:30 UTC. in 32 days" in text
    assert "The earliest send is today 18:40: Tminus prepares for 10 minutes." in text
    assert "Berlin: 18:30 now (UTC+1)" in text


def test_the_live_answer_and_the_save_say_the_same_of_a_typed_text(visitor: Visitor) -> None:
    refused = Page(visitor.send(EDIT, EDIT, {"schedule.startDate": "04/12"}, status=422).text).text
    said = "04/12 can mean two days. Write 4 Dec or 12 Apr"
    assert said in refused
    assert said in live(visitor, frequency="daily", executionTime="17:30", startDate="04/12", timezone="UTC")


def values(**fields: str) -> dict[str, str]:
    return {f"schedule.{name}": text for name, text in fields.items()}


def test_clock_changes_are_noted() -> None:
    now = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    skipped = live_schedule(values(frequency="daily", executionTime="02:30", timezone="berlin"), now)
    assert [send.note for send in skipped.sends][:2] == ["The clocks skip 02:30 on this day.", ""]
    twice = live_schedule(
        values(frequency="once", startDate="25 Oct", executionTime="2:30am", timezone="Berlin"), now
    )
    assert [send.note for send in twice.sends] == ["02:30 comes twice on this day: it is sent the first time."]
    ahead = live_schedule(values(frequency="once", startDate="tomorrow 9am", timezone="Auckland"), now)
    assert ahead.meanings["schedule.startDate"] == "Mon 30 Mar 2026"  # it is Sunday there


def test_cron_is_said_in_words() -> None:
    now = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)

    def words(cron: str) -> str:
        return live_schedule(values(frequency="custom", cronExpression=cron, timezone="UTC"), now).words

    assert words("30 18 * * 1-2") == "Every Monday and Tuesday at 18:30 UTC"
    assert words("0 9 1,15 * *") == "On day 1 and 15 of the month at 09:00 UTC"
    assert words("0 9 1 6 5") == "On day 1 of the month and every Friday in June at 09:00 UTC"


def test_a_send_that_is_too_soon_is_refused_with_the_earliest_time_and_the_ways_out(
    lab: Lab, visitor: Visitor
) -> None:
    lab.clock.advance_to(SEND_AT - 8 * MINUTE)
    changes = {"schedule.frequency": "once", "schedule.startDate": "today", "status": "active"}
    lab.save(recipe(status="draft"))
    visitor.send(EDIT, EDIT, changes)
    review = visitor.get("/recipes/welcome/review")
    assert "it is 8 minutes away, and audience, test and cancellation window take 10" in review.text
    page = visitor.get(EDIT)
    assert "Mon 2 Mar, 18:30 is too soon: 8 min away, and preparing takes longer." in page.text
    assert "Send at today 18:32 or later." in page.text
    assert "Start preparing at most 8 minutes before" in page.text
    assert "Save it as a draft, then send it now under Test & send." in page.text
    visitor.send(EDIT, EDIT, changes | {"schedule.leadTimeMinutes": "8"})
    visitor.send("/recipes/welcome/review/check", "/recipes/welcome/activate")
    assert stored(lab)["status"] == "active"


def test_a_campaign_saved_as_active_20_minutes_before_its_send_is_sent(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(status="draft"))
    lab.clock.advance_to(SEND_AT - 20 * MINUTE)
    changes = {"schedule.frequency": "once", "schedule.startDate": "today", "status": "active"}
    visitor.send(EDIT, EDIT, changes)
    response = visitor.send("/recipes/welcome/review/check", "/recipes/welcome/activate")
    assert "starts now, 20 minutes before its time" in visitor.get(response.headers["Location"]).text
    text = live(visitor, frequency="once", startDate="today", executionTime="18:30", timezone="UTC")
    assert "Preparing starts as soon as it is active, with 20 of its 30 minutes to test and cancel." in text
    lab.run_to(SEND_AT + MINUTE)
    [execution] = lab.ports.executions.search(ExecutionSearch(recipe_id="welcome"), most=5)
    assert execution.state.value == "live"


def test_a_due_send_that_nothing_launched_is_recorded_as_missed_and_alerts(lab: Lab) -> None:
    lab.save(recipe(schedule__frequency="once", schedule__startDate="2026-03-02"))
    lab.clock.advance_to(SEND_AT + 20 * MINUTE)
    reconcile(lab.ports)
    [execution] = lab.ports.executions.search(ExecutionSearch(recipe_id="welcome"), most=5)
    assert execution.state.value == "expired"
    found = lab.ports.violations.of(execution.id)
    assert [(each.finding.type, each.finding.severity.value) for each in found] == [
        (ViolationType.MISSED, "critical")
    ]
    alerts = (lab.state / "alerts.jsonl").read_text(encoding="utf-8")
    assert execution.id in alerts


SKIP, AT = "/recipes/welcome/skip", "2026-03-02T18:30:00Z"


def test_one_send_is_skipped_after_a_question_and_the_skip_is_undone(lab: Lab, visitor: Visitor) -> None:
    links = [each.get("href", "") for tag, each in visitor.get("/recipes/welcome").elements if tag == "a"]
    asked = f"{SKIP}?at={AT.replace(':', '%3A')}"
    assert asked in [link.removeprefix("/console") for link in links]
    assert "The next send is Tue 3 Mar, 18:30. The campaign stays active." in visitor.get(asked).text
    response = visitor.send(asked, SKIP)
    assert stored(lab)["schedule"]["skip"] == [AT]
    page = response.headers["Location"]
    shown = visitor.get(page).text
    assert "Skipped Mon 2 Mar, 18:30 UTC. All other sends go out as planned." in shown
    assert "Skipped Restore" not in shown.partition("Next five sends")[0]
    undone = visitor.send(page, "/recipes/welcome/restore")
    assert "skip" not in stored(lab)["schedule"]
    assert "Restored. Mon 2 Mar, 18:30 UTC is sent as planned." in visitor.get(undone.headers["Location"]).text


def test_skipping_a_send_in_preparation_says_that_it_is_cancelled_for_good(lab: Lab, visitor: Visitor) -> None:
    lab.run_to(SEND_AT - 10 * MINUTE)
    asked = f"{SKIP}?at={AT}"
    assert "Skipping cancels it. This can't be undone." in visitor.get(asked).text
    response = visitor.send(asked, SKIP)
    page = visitor.get(response.headers["Location"])
    assert "Its send was being prepared and is cancelled for good." in page.text
    assert "/recipes/welcome/restore" not in [form.action for form in page.forms]
    assert lab.ports.executions.search(ExecutionSearch(recipe_id="welcome"), most=5)[0].state.value == "cancelled"


def test_a_viewer_skips_nothing_and_a_wrong_address_has_a_way_back(visitor: Visitor) -> None:
    visitor.get(f"{SKIP}?at=soon", status=422)
    visitor.become(Role.VIEWER)
    visitor.get(f"{SKIP}?at={AT}", status=403)
    assert not [each for _, each in visitor.get("/recipes/welcome").elements if "/skip" in each.get("href", "")]


def test_a_copy_has_no_skips(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(schedule={**recipe()["schedule"], "skip": [AT]}))
    visitor.send("/recipes/new?from=welcome", NEW, {"id": "copied"})
    assert "skip" not in stored(lab, "copied")["schedule"]


def test_a_new_campaign_begins_with_the_zone_of_the_others(lab: Lab, visitor: Visitor) -> None:
    lab.save(recipe(schedule__timezone="Asia/Tokyo"))
    assert visitor.get(NEW).form(NEW).fields["schedule.timezone"] == ["Asia/Tokyo"]
