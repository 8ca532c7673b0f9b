"""Identifiers: valid, the same each time, and never a crash."""

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.ids import (
    RECIPE_ID,
    USER_KEY_BYTES,
    UserIdFormat,
    canonical_user_id,
    execution_id,
    is_user_id,
    push_key,
    slug,
    task_name,
    user_digest,
    user_key,
)

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(), max_size=40)  # surrogates and control characters too
A_UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@given(ANY_TEXT)
def test_any_text_has_a_digest_and_a_place_in_the_ledger(text: str) -> None:
    assert len(user_digest(text)) == 16
    assert user_key(text) == user_digest(text)[:USER_KEY_BYTES]


def test_the_digest_is_the_md5_that_an_engine_sorts_by() -> None:
    assert user_digest("") == bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e")
    assert user_digest("abc").hex() == "900150983cd24fb0d6963f7d28e17f72"


@given(st.uuids())
def test_a_uuid_is_one_user_however_it_is_written(user: uuid.UUID) -> None:
    lower, upper = str(user), str(user).upper()
    assert is_user_id(lower, UserIdFormat.UUID)
    assert is_user_id(upper, UserIdFormat.UUID)
    assert user_digest(lower) == user_digest(upper)
    assert canonical_user_id(upper) == lower


def test_an_id_that_is_no_uuid_keeps_its_case() -> None:
    assert canonical_user_id("User-A") == "User-A"
    assert user_key("User-A") != user_key("user-a")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", A_UUID + "\n", " " + A_UUID, "{" + A_UUID + "}", A_UUID.replace("-", ""), A_UUID[:-1]),
        *(A_UUID.replace("0", "\u0660"), A_UUID.replace("f", "g"), "1" * 1_000_000, "\ud800", "=1+1"),
    ],
)
def test_what_is_no_uuid_is_no_user_id_by_default(text: str) -> None:
    assert not is_user_id(text, UserIdFormat.UUID)


@pytest.mark.parametrize(
    "text", ["", " ", " x", "x ", "a\nb", "a\x00b", "\ud800", "\u200bx", "x" * 201, "\ufeffx", "a\tb"]
)
def test_what_a_person_cannot_see_is_no_user_id_in_any_format(text: str) -> None:
    assert not is_user_id(text, UserIdFormat.ANY)


@pytest.mark.parametrize("text", ["1", "ana@example.com", "用户", "a b", "x" * 200, A_UUID])
def test_any_other_text_is_a_user_id_where_the_deployment_says_any(text: str) -> None:
    assert is_user_id(text, UserIdFormat.ANY)


@given(ANY_TEXT)
def test_a_valid_user_id_can_be_written(text: str) -> None:
    for form in UserIdFormat:
        assert not is_user_id(text, form) or text.encode()


@given(ANY_TEXT)
def test_any_name_makes_an_id_that_a_recipe_can_have(name: str) -> None:
    assert RECIPE_ID.fullmatch(slug(name))
    assert slug(name) == slug(name)


def test_an_id_reads_like_its_name() -> None:
    assert slug("  Été 2026: Soldes! ") == "ete-2026-soldes"
    assert len(slug("word " * 1_000)) <= 80


def test_names_without_latin_letters_have_ids_of_their_own() -> None:
    made = {slug(name) for name in ("Распродажа", "セール", "🥾", "", "!!!")}
    assert len(made) == 5
    assert all(re.fullmatch(r"recipe-[0-9a-f]{12}", one) for one in made)


def test_an_execution_is_named_by_its_recipe_and_the_instant_whatever_its_zone() -> None:
    local = SEND_AT.astimezone(timezone(timedelta(hours=9)))
    assert execution_id("r", local) == execution_id("r", SEND_AT) == "r_20260302T183000Z"
    assert execution_id("r", SEND_AT + timedelta(seconds=1)) != execution_id("r", SEND_AT)


def test_task_names_are_legal_stable_and_new_for_each_generation() -> None:
    execution = execution_id("r" * 100, SEND_AT)
    names = [task_name(execution, step, generation) for step in ("build", "send-2") for generation in (0, 1)]
    assert len(set(names)) == 4
    assert names == [task_name(execution, step, generation) for step in ("build", "send-2") for generation in (0, 1)]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,500}", name) for name in names), "what Cloud Tasks takes as an id"


def test_each_push_of_each_execution_has_a_key_of_its_own() -> None:
    keys = {push_key(execution, push) for execution in ("a", "a_1", "b") for push in range(1, 21)}
    assert len(keys) == 60
    assert push_key("daily_20261123T180000Z", 2) == b"daily_20261123T180000Z/2"
