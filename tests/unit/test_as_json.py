"""Reports as JSON: camelCase keys in the order of the fields, and values that JSON holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from functions.handlers.http.as_json import as_json, camel


class Word(StrEnum):
    FIRST_WORD = "first_word"


@dataclass(frozen=True, kw_only=True)
class Part:
    audience_size: int
    percent: float


@dataclass(frozen=True, kw_only=True)
class Whole:
    sent_at: datetime | None
    word: Word
    parts: Sequence[Part]
    by_reason: Mapping[str, int]
    deep_link: str | None = None


def test_fields_become_keys_in_their_order() -> None:
    at = datetime(2026, 3, 2, 18, 30, tzinfo=timezone(timedelta(hours=1)))
    report = Whole(
        sent_at=at, word=Word.FIRST_WORD, parts=(Part(audience_size=3, percent=75.0),), by_reason={"no_token": 1}
    )
    made = as_json(report)
    assert list(made.items()) == [
        ("sentAt", "2026-03-02T17:30:00Z"),
        ("word", "first_word"),
        ("parts", [{"audienceSize": 3, "percent": 75.0}]),
        ("byReason", {"no_token": 1}),
    ]
    assert type(made["word"]) is str


def test_only_a_field_whose_default_is_none_is_left_out() -> None:
    report = Whole(sent_at=None, word=Word.FIRST_WORD, parts=(), by_reason={}, deep_link="app://a")
    assert as_json(report) == {
        "sentAt": None,
        "word": "first_word",
        "parts": [],
        "byReason": {},
        "deepLink": "app://a",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"snake_key": [float("nan"), float("inf"), 1.0]}, {"snake_key": [None, None, 1.0]}),
        ([b"\x00\xff", None, True], ["AP8=", None, True]),
        (datetime(2026, 3, 2, 18, 30, 0, 5, UTC), "2026-03-02T18:30:00.000005Z"),
    ],
)
def test_a_document_keeps_its_keys_and_gets_values_that_json_holds(value: Any, expected: Any) -> None:
    assert as_json(value) == expected


def test_a_name_of_one_word_is_its_own_key() -> None:
    assert [camel(name) for name in ("at", "deep_link", "estimated_cost_micros")] == [
        "at",
        "deepLink",
        "estimatedCostMicros",
    ]
