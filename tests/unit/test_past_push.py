"""Which rows of another system's history are kept, and what the others are told."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.cadence import DEFAULT_RULES
from functions.domain.errors import BadFields
from functions.domain.ids import UserIdFormat, user_key
from functions.domain.past_push import Memory, PastPush, Skipped, Source, past_name, read_past_push
from tests.factories import user

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MEMORY = Memory.of(DEFAULT_RULES, NOW, UserIdFormat.UUID)


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


def test_every_column_at_fault_is_told() -> None:
    errors = told(user_id="jo", layer="6", sent_at="x")
    assert [error.split(":")[0] for error in errors] == ["user_id", "layer", "sent_at"]
    assert "USER_ID_FORMAT is uuid" in errors[0]


def test_the_name_of_a_past_push_is_read_back_from_its_key() -> None:
    push = PastPush(user=user_key(user(1)), layer=3, at=NOW, label="spring/summer").as_push(Source.IMPORT)
    assert past_name(push.key.decode()) == (Source.IMPORT, "spring/summer")
    assert past_name("welcome_20261123T180000Z/1") is None
    assert Memory.of((), NOW, UserIdFormat.ANY).since == NOW - timedelta(0)
