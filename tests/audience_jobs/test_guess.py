"""Guesses about columns: types, what they mean, and what a person should look at."""

from typing import Any

import pytest

from audience_jobs.workspace.guess import Sample, guess

TOKEN = "dGVzdC1pbnN0YW5jZQ:APA91b" + "x" * 130
UUIDS = ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3F2504E0-4F89-11D3-9A0C-0305E82C3302"]


@pytest.mark.parametrize(
    ("name", "values", "type_"),
    [
        ("n", ["1", "-2", None, ""], "integer"),
        ("n", ["1", "2.5"], "number"),
        ("n", ["1e3", "2.5"], "number"),
        ("postcode", ["01234", "99999"], "text"),
        ("member_id", ["1", "2"], "id"),
        ("memberId", ["1", "2"], "id"),
        ("ref", UUIDS, "id"),
        ("paid", ["true", "FALSE"], "boolean"),
        ("flag", ["0", "1"], "integer"),
        ("born", ["1999-02-28", "2000-02-29"], "date"),
        ("born", ["1999-02-30", "2000-13-29"], "text"),
        ("at", ["2026-05-04T10:00:00Z", "2026-05-04 10:00:00.123+02"], "timestamp"),
        ("at", ["2026-05-04 10:00:00 UTC", "2026-05-04"], "timestamp"),
        ("at", ["04/05/2026 10:00"], "text"),
        ("extra", ['{"a": 1}', "[]"], "json"),
        ("extra", ["[draft]", "{x"], "text"),
        ("empty", [None, ""], "text"),
        ("note", ["so", "1"], "text"),
    ],
)
def test_a_type_is_guessed_from_the_values(name: str, values: list[str | None], type_: str) -> None:
    assert guess(Sample(name=name, values=values)).type == type_


@pytest.mark.parametrize(
    ("name", "values", "meaning"),
    [
        ("x", [TOKEN, TOKEN + "y"], "token"),
        ("push_token", ["f" * 64], "token"),
        ("pushToken", ["f" * 64], "token"),
        ("token_count", ["1", "2"], None),
        ("tokenised", ["yes"], None),
        ("contact", ["a@b.de", "zoë+1@example.co.uk"], "email"),
        ("contact", ["a@b.de", "call me", "no"], None),
        ("password_hash", ["$2b$12$x"], "secret"),
        ("IBAN", ["DE02"], "secret"),
        ("compass", ["north"], None),
        ("contact", ["+4915112345678"], "phone"),
        ("mobile", ["0151 / 123 456 78"], "phone"),
        ("order_no", ["01511234567"], None),
        ("os", ["iOS", "ANDROID", "web"], "platform"),
        ("tz", ["Europe/Berlin", "UTC"], "time_zone"),
        ("tz", ["UTC", "GMT"], None),
        ("lang", ["de", "en"], "locale"),
        ("x", ["de-AT", "zh-Hant-TW", "en_US"], "locale"),
        ("unit", ["kg", "cm"], None),
        ("x", [None], None),
    ],
)
def test_a_meaning_is_guessed_from_name_and_values(name: str, values: list[Any], meaning: str | None) -> None:
    found = guess(Sample(name=name, values=values))
    assert found.meaning == meaning
    assert found.private == (meaning in ("secret", "token", "email", "phone"))


def test_a_few_broken_values_keep_the_type_and_are_said() -> None:
    found = guess(Sample(name="age", values=[*("7" for _ in range(30)), "unknown"]))
    assert (found.type, found.unsure) == ("integer", "1 of 31 values are not integer, such as 'unknown'")


def test_a_declared_type_is_kept() -> None:
    assert guess(Sample(name="flag", values=["0", "1"], declared="boolean")).type == "boolean"
    assert guess(Sample(name="empty", values=[], declared="date")).unsure == ""
    assert guess(Sample(name="empty", values=[])).unsure == "it is empty"


def test_only_a_column_without_gaps_and_repeats_is_unique() -> None:
    unique = [guess(Sample(name="id", values=values)).unique for values in (["1", "2"], ["1", "1"], ["1", None], [])]
    assert unique == [True, False, False, False]
