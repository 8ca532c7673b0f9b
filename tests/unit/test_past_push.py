"""Which rows of another system's history are kept, and what the others are told."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.cadence.past_push import Memory, PastPush, Skipped, Source, past_name, read_past_push
from functions.domain.errors import BadFields
from functions.domain.ids import UserIdFormat, user_key
from tests.audience_jobs.exports import AMBIGUOUS_INSTANTS, EXPORTED_INSTANTS, EXPORTED_LAYERS
from tests.factories import DEFAULT_LAYERS, DEFAULT_RULES, user

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MEMORY = Memory.of(DEFAULT_RULES, NOW, UserIdFormat.UUID, DEFAULT_LAYERS)


def row(**changes: str) -> dict[str, str]:
    return {"user_id": user(1), "layer": "3", "sent_at": "2026-11-22T18:00:00Z", **changes}


def told(**changes: str) -> list[str]:
    with pytest.raises(BadFields) as refused:
        read_past_push(row(**changes), MEMORY)
    return [str(error) for error in refused.value.errors]


def test_a_row_is_a_push_to_a_user_at_a_second() -> None:
    written = row(sent_at="2026-11-22 19:00:00.75+01:00", recipe="spring", title="Hello")
    at = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert read_past_push(written, MEMORY) == PastPush(user=user_key(user(1)), layer=3, at=at, label="spring")


def test_what_no_rule_looks_back_at_is_skipped() -> None:
    assert read_past_push(row(sent_at="2026-11-16T08:59:59Z"), MEMORY) is Skipped.TOO_OLD
    assert isinstance(read_past_push(row(sent_at="2026-11-16T09:00:00Z"), MEMORY), PastPush)
    assert read_past_push(row(sent_at="0001-01-01T00:00:00Z"), MEMORY) is Skipped.TOO_OLD


@pytest.mark.parametrize(("text", "instant"), [each[1:] for each in EXPORTED_INSTANTS])
def test_instants_are_read_as_exports_write_them(text: str, instant: str) -> None:
    read = read_past_push(row(sent_at=f" {text}"), MEMORY)
    assert isinstance(read, PastPush)
    assert f"{read.at:%Y-%m-%dT%H:%M:%SZ}" == instant


@pytest.mark.parametrize("text", AMBIGUOUS_INSTANTS)
def test_an_instant_whose_day_may_be_its_month_is_refused_with_the_way_out(text: str) -> None:
    assert told(sent_at=text)[0].endswith(f'got "{text}"; which is the day, which the month? write the year first')


@pytest.mark.parametrize(("text", "layer"), EXPORTED_LAYERS)
def test_layers_are_read_as_exports_write_them(text: str, layer: int) -> None:
    read = read_past_push(row(layer=text), MEMORY)
    assert isinstance(read, PastPush)
    assert read.layer == layer


@pytest.mark.parametrize("layer", ["3.5", "3,0", "03.1", "6.0", "1e0", "-3", "three", ""])
def test_what_is_no_layer_is_refused(layer: str) -> None:
    assert told(layer=layer) == [f'layer: must be a layer from 1 to 5, got "{layer}"']


def test_white_space_around_an_id_is_left_out() -> None:
    read = read_past_push(row(user_id=f" {user(1)}\t"), MEMORY)
    assert isinstance(read, PastPush)
    assert read.user == user_key(user(1))


@pytest.mark.parametrize("layer", ["1", "4"])
def test_layers_that_count_against_nothing_are_skipped(layer: str) -> None:
    assert read_past_push(row(layer=layer), MEMORY) is Skipped.BYPASSES


def test_layer_0_of_old_systems_is_layer_5() -> None:
    read = read_past_push(row(layer="0"), MEMORY)
    assert isinstance(read, PastPush)
    assert read.layer == 5


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    assert isinstance(read_past_push(row(sent_at="2026-11-23T12:01:00Z"), MEMORY), PastPush)
    assert told(sent_at="2026-11-23T12:01:01Z") == ['sent_at: "2026-11-23T12:01:01Z" is in the future']


@pytest.mark.parametrize("sent_at", ["", "yesterday", "2026-11-22", "2026-11-22T18:00:00", "2026-13-01T00:00:00Z"])
def test_an_instant_without_a_zone_or_a_meaning_is_refused(sent_at: str) -> None:
    assert told(sent_at=sent_at) == [
        f'sent_at: must be an instant with its zone, such as 2026-11-23T18:00:00Z, got "{sent_at}"'
    ]


def test_every_wrong_column_is_named() -> None:
    errors = told(user_id="jo", layer="6", sent_at="x")
    assert [error.split(":")[0] for error in errors] == ["user_id", "layer", "sent_at"]
    assert "USER_ID_FORMAT is uuid" in errors[0]


def test_the_name_of_a_past_push_is_read_back_from_its_key() -> None:
    push = PastPush(user=user_key(user(1)), layer=3, at=NOW, label="spring/summer").as_push(Source.IMPORT)
    assert past_name(push.key.decode()) == (Source.IMPORT, "spring/summer")
    assert past_name("welcome_20261123T180000Z/1") is None
    assert Memory.of((), NOW, UserIdFormat.ANY, DEFAULT_LAYERS).since == NOW - timedelta(0)
