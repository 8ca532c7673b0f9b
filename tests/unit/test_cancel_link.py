"""The token of a cancel link: only we can make one, and it says one thing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.alerts.cancel_link import BadLink, CancelLink, make_token, read_token

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
EXECUTION = "welcome_20260302T183000Z"
NEW, OLD, OTHER = ("n" * 32, "o" * 32, "x" * 32)


def test_a_token_says_which_execution_and_until_when() -> None:
    token = make_token([NEW], EXECUTION, SEND_AT)
    assert read_token([NEW], token) == CancelLink(execution_id=EXECUTION, expires_at=SEND_AT)


def test_links_that_are_out_stay_good_while_one_secret_follows_another() -> None:
    old = make_token([OLD], EXECUTION, SEND_AT)
    assert read_token([NEW, OLD], old).execution_id == EXECUTION
    assert make_token([NEW, OLD], EXECUTION, SEND_AT) == make_token([NEW], EXECUTION, SEND_AT) != old
    with pytest.raises(BadLink):
        read_token([NEW], old)


def test_without_a_secret_no_token_is_good() -> None:
    with pytest.raises(BadLink):
        read_token([], make_token([NEW], EXECUTION, SEND_AT))


def test_a_token_of_one_execution_cannot_be_made_into_one_of_another_or_of_a_later_time() -> None:
    version, name, expires, signature = make_token([NEW], EXECUTION, SEND_AT).split(".")
    other = make_token([NEW], "other_20260302T183000Z", SEND_AT).split(".")[1]
    later = str(int(expires) + 60)
    forgeries = [(version, other, expires), (version, name, later), ("2", name, expires)]
    for forged in forgeries:
        with pytest.raises(BadLink):
            read_token([NEW], ".".join([*forged, signature]))


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_token_with_one_letter_changed_is_refused(place: int) -> None:
    token = make_token([NEW], EXECUTION, SEND_AT)
    place %= len(token)
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
    with pytest.raises(BadLink):
        read_token([NEW], changed)


@pytest.mark.long
@given(st.one_of(st.text(max_size=200), st.from_regex(r"1\.[A-Za-z0-9_-]{1,20}\.[0-9]{1,12}\.[A-Za-z0-9_-]{43}")))
def test_whatever_a_stranger_writes_is_refused_in_words(token: str) -> None:
    with pytest.raises(BadLink, match="cancel link"):
        read_token([OTHER], token)


def test_a_token_fits_into_an_address_as_it_is() -> None:
    token = make_token([NEW], "a" * 100 + "_20260302T183000Z", SEND_AT)
    assert len(token) < 250
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
