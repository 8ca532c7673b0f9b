"""Recipe documents: old ones load, bad ones are refused field by field, unknown keys survive."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import parse
from functions.domain.recipe.status import Status
from tests.examples import examples
from tests.factories import push, recipe

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def errors(document: object) -> list[str]:
    with pytest.raises(BadRecipe) as refused:
        parse(document)
    return [str(error) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ({"status": "scheduled"}, Status.ACTIVE),
        ({"status": "running", "isActive": True}, Status.ACTIVE),
        ({"status": "Active"}, Status.ACTIVE),
        ({"status": "inactive"}, Status.PAUSED),
        ({"status": "cancelled"}, Status.PAUSED),
        ({"status": "failed"}, Status.PAUSED),
        ({"status": "completed"}, Status.COMPLETED),
        ({"status": None, "isActive": True}, Status.ACTIVE),
        ({"status": "", "isActive": False}, Status.PAUSED),
        ({"status": None}, Status.DRAFT),
    ],
)
def test_one_truth_is_read_from_old_words(written: dict[str, Any], status: Status) -> None:
    read = parse({**recipe(), **written})
    assert (read.status, read.notices) == (status, ())
    assert read.document()["isActive"] is (status is Status.ACTIVE)


@pytest.mark.parametrize(
    ("status", "is_active"), [("active", False), ("scheduled", False), ("paused", True), ("completed", True)]
)
def test_a_contradiction_pauses_and_says_so(status: str, is_active: bool) -> None:
    read = parse({**recipe(), "status": status, "isActive": is_active})
    assert read.status is Status.PAUSED
    assert read.notices == (f"status {status!r} contradicts isActive {str(is_active).lower()}: the recipe is paused",)


def test_unknown_keys_survive_at_any_depth() -> None:
    document = recipe()
    document["mystery"] = {"deep": [1, {"er": None}]}
    document["schedule"]["jitter"] = 3
    document["pushSequence"][1]["timing"]["note"] = "kept"
    again = parse(document).document()
    assert again == {**document, "isActive": True}
    assert parse(again).document() == again


def test_layer_0_is_layer_5() -> None:
    read = parse(recipe(pushSequence=[push(1, layerId=0)]))
    assert read.pushes[0].layer_id == read.document()["pushSequence"][0]["layerId"] == 5


def test_nulls_are_missing_fields() -> None:
    document = recipe()
    document["schedule"] |= {"endDate": None, "leadTimeMinutes": None, "cronExpression": None}
    document["settings"] |= {"safeguards": None}
    read = parse(document)
    assert read.schedule.lead.total_seconds() == 1800
    assert read.settings.safeguards.max_audience_size == 10_000


@pytest.mark.parametrize(
    ("name", "made"), [("Spring Sale!", "spring-sale"), ("Żółte buty", "zote-buty"), ("春の靴", "recipe-")]
)
def test_an_empty_id_is_made_of_the_name_the_same_each_time(name: str, made: str) -> None:
    first, second = (parse({**recipe(), "id": "", "name": name}).id for _ in range(2))
    assert first == second
    assert first.startswith(made)


def test_an_empty_id_takes_the_files_name_where_there_is_one() -> None:
    assert parse({**recipe(), "id": ""}, default_id="campaign").id == "campaign"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T00:00:00.000Z", "2026-03-02"),
        ("2026-03-02T03:00:00Z", "2026-03-01"),
    ],
)
def test_a_start_date_is_a_date_a_form_wrote_or_an_instant(written: str, day: str) -> None:
    document = recipe()
    document["schedule"] |= {"startDate": written, "timezone": "America/New_York"}
    assert parse(document).schedule.start_date.isoformat() == day


def test_pushes_go_in_the_order_of_their_numbers() -> None:
    read = parse(recipe(pushSequence=[push(3), push(1), push(2)]))
    assert [p.sequence_order for p in read.pushes] == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("schedule.executionTime", "25:61", "schedule.executionTime: use 24-hour time HH:MM"),
        ("schedule.executionTime", None, "schedule.executionTime: is missing"),
        ("schedule.timezone", "Mars", "schedule.timezone: must be an IANA time zone"),
        ("schedule.frequency", "hourly", "schedule.frequency: must be one of"),
        ("schedule.leadTimeMinutes", "30", 'schedule.leadTimeMinutes: must be a whole number, got "30"'),
        ("schedule.leadTimeMinutes", 0, "schedule.leadTimeMinutes: must be at least 1, got 0"),
        ("schedule.startDate", "soon", "schedule.startDate: must be a date"),
        ("schedule.daysOfWeek", [9], "schedule.daysOfWeek[0]: must be a day from 0"),
        ("schedule.dayOfMonth", 32, "schedule.dayOfMonth: must be at most 31"),
        ("pushSequence", [], "pushSequence: must hold at least one entry"),
        ("pushSequence", "push", "pushSequence: must be a list"),
        (
            "pushSequence.1.timing",
            {"delayAfterPrevious": -1},
            "pushSequence[1].timing.delayAfterPrevious: must be at",
        ),
        ("pushSequence.1.layerId", 10, "pushSequence[1].layerId: must be at most 9, got 10"),
        ("pushSequence.1.title", "[[var:x", "pushSequence[1].title: malformed variable"),
        ("pushSequence.1.sequenceOrder", 3, "pushSequence[1].sequenceOrder: 3 is there twice"),
        ("settings.testUserIds", "me", "settings.testUserIds: must be a list"),
        ("settings.safeguards", {"requireTestFirst": "no"}, "settings.safeguards.requireTestFirst: must be true or"),
        ("audienceCriteria.testMode", 1, "audienceCriteria.testMode: must be true or false"),
        ("id", "a/b", "id: must be 1 to 100 letters"),
        ("status", "maybe", "status: must be one of draft, active"),
        ("isActive", "yes", "isActive: must be true or false"),
        ("name", "\ud800", "name: must be Unicode text"),
    ],
)
def test_a_bad_field_is_named_with_the_way_out(path: str, value: object, told: str) -> None:
    document = json.loads(json.dumps(recipe()))
    place = document
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    for part in parents:
        place = place[part]
    place[last] = value
    assert [line for line in errors(document) if line.startswith(told)], errors(document)


def test_frequencies_need_what_they_are_made_of() -> None:
    custom = {"timezone": "UTC", "frequency": "custom", "executionTime": "18:30"}
    assert errors(recipe(schedule=custom)) == [
        "schedule.cronExpression: is missing; frequency custom sends at the times of a cron expression"
    ]
    once = {"timezone": "UTC", "frequency": "once", "executionTime": "18:30"}
    assert errors(recipe(schedule=once)) == ["schedule.startDate: is missing; frequency once sends on that day"]


def test_every_bad_field_has_an_error_of_its_own() -> None:
    told = errors({"id": "x", "schedule": {"timezone": "?"}, "pushSequence": [{}]})
    fields = {line.split(":")[0] for line in told}
    assert {"schedule.timezone", "schedule.frequency", "pushSequence[0].title", "pushSequence[0].layerId"} <= fields


@examples(300, few=60)
@given(document=JSON)
def test_no_json_does_worse_than_be_refused(document: object) -> None:
    assert errors(document)


@examples(300, few=60)
@given(path=st.sampled_from(["schedule", "pushSequence", "settings", "audienceCriteria", "status", "id"]), value=JSON)
def test_no_value_of_a_field_does_worse_than_be_refused(path: str, value: object) -> None:
    try:
        read = parse({**recipe(), path: value})
    except BadRecipe:
        return
    assert parse(read.document()).document() == read.document()


def test_an_integer_may_have_been_kept_with_a_point() -> None:
    document = recipe(pushSequence=[push(1, layerId=3.0), push(2, timing={"delayAfterPrevious": 5.0})])
    document["schedule"] |= {"leadTimeMinutes": 30.0, "frequency": "weekly", "daysOfWeek": [6.0, 7.0]}
    read = parse(document)
    assert [each.layer_id for each in read.pushes][:1] == [3]
    assert read.schedule.lead == timedelta(minutes=30)
    assert read.schedule.days_of_week == {6, 0}
