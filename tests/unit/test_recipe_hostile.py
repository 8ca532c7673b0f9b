"""Recipe documents made to break the reader: everything wrong is a BadRecipe that names the field."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import TEST_MODE_LEAD, parse
from functions.domain.recipe.schedule import sends_from
from functions.domain.recipe.status import Status
from tests.examples import examples

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_push(**changes: Any) -> dict[str, Any]:
    return {"sequenceOrder": 1, "title": "Hi [[var:firstName]]", "body": "b", "layerId": 3, **changes}


def a_recipe(**changes: Any) -> dict[str, Any]:
    document = {
        "id": "r",
        "name": "Winter shoes",
        "type": "sequence",
        "status": "active",
        "isActive": True,
        "schedule": {
            "timezone": "America/New_York",
            "frequency": "daily",
            "startDate": "2026-01-01",
            "endDate": "2026-12-31",
            "executionTime": "18:30",
            "leadTimeMinutes": 30,
            "daysOfWeek": [1],
            "dayOfMonth": 31,
        },
        "pushSequence": [
            a_push(timing={"delayAfterPrevious": 0}),
            a_push(
                sequenceOrder=2,
                deepLink="https://a.example",
                audienceName="default",
                timing={"absoluteTime": "19:00"},
            ),
        ],
        "audienceCriteria": {"customScript": {"scriptId": "job", "parameters": {"hours": 1}}, "testMode": False},
        "settings": {
            "testUserIds": ["u"],
            "cancellationWindowMinutes": 25,
            "maxLatenessMinutes": 15,
            "safeguards": {
                "maxAudienceSize": 10,
                "requireTestFirst": True,
                "emergencyContacts": ["a@b.example"],
                "alertThresholds": {"audienceSize": 5, "failureRate": 0.1},
            },
        },
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
    }
    return {**document, **changes}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, item in entries for found in paths(item, (*path, key))]


def replaced(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    place = document = copy.deepcopy(document)
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return document


def written(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def errors(document: object) -> dict[str, str]:
    with pytest.raises(BadRecipe) as refused:
        parse(document)
    return {error.field: error.reason for error in refused.value.errors}


def refusal(document: object) -> BadRecipe | None:
    try:
        parse(document)
    except BadRecipe as refused:
        return refused
    return None


PATHS = paths(a_recipe())
FIELDS = [path for path in PATHS if isinstance(path[-1], str)]
HOSTILE: list[Any] = [True, -1, 0, 1.5, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\x00", "\ud800"]
HOSTILE += [
    [],
    {},
    [[]],
    [None],
    {"": None},
    [True],
    {"a": {"b": [1]}},
    "9" * 5000,
    "[[",
    "{0}{x}",
    "0001-01-01T00:00+14:00",
]
JSON = st.recursive(
    st.sampled_from([None, *HOSTILE]) | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_the_recipe_that_the_tests_spoil_is_good() -> None:
    assert parse(a_recipe()).status is Status.ACTIVE


@pytest.mark.parametrize("path", PATHS, ids=written)
def test_a_field_takes_a_value_or_names_itself(path: tuple[str | int, ...]) -> None:
    for value in HOSTILE:
        found = refusal(replaced(a_recipe(), path, value))
        if found is None:
            read = parse(replaced(a_recipe(), path, value))
            assert parse(read.document()).document() == read.document()
            assert read.first_send_at is None or read.first_send_at.utcoffset() == timedelta(0)
            assert json.dumps(read.document(), ensure_ascii=False, allow_nan=False).encode()
        else:
            assert all(error.reason for error in found.errors)
            assert any(error.field.startswith(written(path)) for error in found.errors), str(found)
            assert len(str(found).encode()) < 2_000, "a message is for people, and can be written"


@given(st.sampled_from(PATHS), JSON, st.sampled_from(PATHS), JSON)
@examples(400, few=80)
def test_no_two_values_do_worse_than_be_refused(
    first: tuple[str | int, ...], value: Any, second: tuple[str | int, ...], other: Any
) -> None:
    document = replaced(a_recipe(), first, value)
    if second[: len(first)] != first:
        document = replaced(document, second, other)
    try:
        read = parse(document)
    except BadRecipe:
        return
    next(sends_from(read.schedule, NOON), None)
    assert parse(read.document()).document() == read.document()
    assert read.window >= timedelta(0)
    assert len(read.timings) == len(read.pushes)


@pytest.mark.parametrize("path", FIELDS, ids=written)
def test_a_null_is_the_same_as_nothing(path: tuple[str | int, ...]) -> None:
    document, missing = replaced(a_recipe(), path, None), a_recipe()
    place: Any = missing
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    assert outcome(document) == outcome(missing)


def outcome(document: Any) -> Any:
    try:
        read = parse(document)
    except BadRecipe as refused:
        return str(refused)
    return read.id, read.status, read.schedule, read.pushes, read.settings, read.criteria


def nested(make: Callable[[Any], Any], levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = make(value)
    return value


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["list", "object"])
@pytest.mark.parametrize("key", ["unknown", "status", "schedule", "metadata"])
def test_a_document_too_deep_to_store_is_refused_whatever_its_depth(make: Callable[[Any], Any], key: str) -> None:
    for levels in (20, 400, 5_000):
        assert any(
            "nested deeper than" in reason for reason in errors(a_recipe(**{key: nested(make, levels)})).values()
        )
    assert "nested deeper than" in str(errors(nested(make, 50_000)))


def test_a_few_levels_are_nothing_special() -> None:
    assert parse(a_recipe(unknown=nested(lambda inner: {"a": inner}, 10))).document()["unknown"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("\ud83d", "must be Unicode text"),
        (float("nan"), "must be a finite number"),
        (float("-inf"), "must be a finite number"),
        (2**63, "must be a number of at most 64 bits"),
        (-(2**63) - 1, "must be a number of at most 64 bits"),
    ],
)
def test_what_no_store_can_keep_is_refused_even_where_tminus_does_not_read_it(value: object, reason: str) -> None:
    told = errors(a_recipe(extra={"list": [0, {"x": value}]}))
    assert told["extra.list[1].x"].startswith(reason)


def test_a_key_that_is_no_text_is_refused() -> None:
    assert "must be Unicode text" in str(errors(a_recipe(extra={"\ud800": 1})))


def test_the_largest_numbers_and_the_rarest_characters_survive() -> None:
    extra = {"most": 2**63 - 1, "least": -(2**63), "text": "🥾\x00\u200d\uffff\U0010ffff", "tiny": 5e-324}
    assert parse(a_recipe(extra=extra)).document()["extra"] == extra


def test_a_document_too_large_to_store_is_refused_at_once() -> None:
    assert "at most 500,000" in errors(a_recipe(description="x" * 500_000))["recipe"]
    many = [a_push(sequenceOrder=number) for number in range(20_000)]
    assert "at most 500,000" in errors(a_recipe(pushSequence=many))["recipe"]


@pytest.mark.parametrize("document", [None, 5, True, "recipe", [], [{}], float("nan")])
def test_what_is_no_object_is_refused(document: object) -> None:
    assert list(errors(document)) == ["recipe"]


@pytest.mark.parametrize(
    "clock", ["24:00", "25:61", "9:5", " 9:05", "+9:05", "-0:00", "9:-0", "९:०५", "09:05:00", "0009:05", "9"]
)
def test_a_clock_is_hours_and_minutes_and_nothing_else(clock: str) -> None:
    document = replaced(a_recipe(), ("schedule", "executionTime"), clock)
    assert errors(document)["schedule.executionTime"].startswith("use 24-hour time HH:MM")


def test_a_clock_may_leave_out_the_leading_nought() -> None:
    assert parse(replaced(a_recipe(), ("schedule", "executionTime"), "9:05")).schedule.send_time == time(9, 5)


@pytest.mark.parametrize(
    "day", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:30:00-05:00", "2026-02-30", "tomorrow", " "]
)
@pytest.mark.parametrize("name", ["startDate", "endDate"])
def test_a_day_outside_the_calendar_is_refused(name: str, day: str) -> None:
    assert errors(replaced(a_recipe(), ("schedule", name), day))[f"schedule.{name}"].startswith("must be a date")


def test_an_end_before_the_start_is_refused() -> None:
    told = errors(replaced(a_recipe(), ("schedule", "endDate"), "2025-12-31"))
    assert told == {"schedule.endDate": "2025-12-31 is before startDate 2026-01-01"}


def test_a_left_over_cron_of_a_daily_recipe_is_not_used_and_says_so() -> None:
    read = parse(replaced(a_recipe(), ("schedule", "cronExpression"), "*/5 * * * *"))
    first, second = islice(sends_from(read.schedule, NOON), 2)
    assert (first, second - first) == (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), timedelta(days=1))
    assert read.notices == ("schedule.cronExpression is not used: only frequency custom reads it",)


def test_the_first_pushs_own_timing_is_not_used_and_says_so() -> None:
    read = parse(a_recipe(pushSequence=[a_push(timing={"delayAfterPrevious": 5})]))
    assert read.notices == ("the first push's timing is not used: it goes out at schedule.executionTime",)


def test_orders_that_begin_at_0_keep_their_order() -> None:
    read = parse(a_recipe(pushSequence=[a_push(sequenceOrder=number, title=str(number)) for number in (1, 2, 0)]))
    assert [push.title.render({}) for push in read.pushes] == ["0", "1", "2"]


def test_pushes_without_an_order_keep_their_places() -> None:
    read = parse(a_recipe(pushSequence=[a_push(sequenceOrder=None, title=title) for title in "cab"]))
    assert [push.title.render({}) for push in read.pushes] == ["c", "a", "b"]


def test_a_duplicate_order_names_the_pushes_that_have_it() -> None:
    pushes = [a_push(sequenceOrder=0), a_push(sequenceOrder=None), a_push(sequenceOrder=0)]
    assert errors(a_recipe(pushSequence=pushes)) == {"pushSequence[0].sequenceOrder": "0 is there twice"}


def test_one_bad_push_is_one_error() -> None:
    assert list(errors(a_recipe(pushSequence=[a_push(layerId=10)]))) == ["pushSequence[0].layerId"]


def test_errors_of_status_id_and_fields_are_all_named_at_once() -> None:
    told = errors(a_recipe(id="a b", status="bogus", pushSequence=[], type="newsletter"))
    assert list(told) == ["status", "type", "pushSequence", "id"]


@pytest.mark.parametrize("name", ["delayAfterPrevious", "cancellationWindowMinutes", "maxLatenessMinutes"])
def test_minutes_beyond_what_a_task_can_wait_are_refused(name: str) -> None:
    path = ("pushSequence", 1, "timing", name) if name == "delayAfterPrevious" else ("settings", name)
    assert errors(replaced(a_recipe(), path, 43_201)) == {written(path): "must be at most 43200, got 43201"}
    assert parse(replaced(a_recipe(), path, 43_200))


def test_test_mode_starts_three_minutes_before_its_send() -> None:
    read = parse(replaced(a_recipe(), ("audienceCriteria", "testMode"), True))
    assert read.test_mode
    assert read.schedule.lead == TEST_MODE_LEAD == timedelta(minutes=3)


@pytest.mark.parametrize("name", [5, None, "", "\u200b", "!!!", "Распродажа", "x" * 10_000])
def test_a_recipe_without_an_id_gets_one_that_is_valid_or_an_error_about_its_name(name: object) -> None:
    document = a_recipe(name=name, id=None)
    if name == 5:
        assert list(errors(document)) == ["name"]
    else:
        read = parse(document)
        assert parse(read.document()).id == read.id == parse(document).id
