"""Sealed addresses of people's pages: only the console makes them, and they show nothing of the id."""

import base64
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions import bootstrap
from functions.domain.errors import NotFound
from functions.handlers.console import person_address
from functions.handlers.console.person_address import token_of, user_of
from tests.factories import user


def changed(token: str, place: int, mask: int) -> str:
    sealed = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    sealed[place] ^= mask
    return base64.urlsafe_b64encode(bytes(sealed)).decode().rstrip("=")


def refused(token: str) -> bool:
    try:
        user_of(token)
    except NotFound:
        return True
    return False


@given(st.text(min_size=1).filter(lambda text: not text.endswith("\0")))
def test_an_address_stands_for_its_id(user_id: str) -> None:
    assert user_of(token_of(user_id)) == user_id


def test_a_token_hides_the_id_and_its_length_and_links_stay_good() -> None:
    assert len({len(token_of(user_id)) for user_id in ("m-1", "anna@club.example", user(1), "x" * 48)}) == 1
    assert token_of("m-1") == token_of("m-1")
    ids = [f"m-{number}" for number in range(200)]
    assert len({token_of(user_id)[:8] for user_id in ids}) == len(ids)


def test_every_change_of_a_token_is_refused() -> None:
    token = token_of(user(1))
    size = len(token) * 3 // 4
    assert all(refused(changed(token, place, mask)) for place in range(size) for mask in (1, 128))
    assert all(refused(token[:length]) for length in range(len(token)))
    others = ["A", "=", "==", "!", " ", "%", "\u00e9"]
    assert all(refused(token + each) for each in others)
    assert all(refused(each + token) for each in others)
    assert all(refused(token[:-1] + chr(code)) for code in range(33, 127) if chr(code) != token[-1])


@pytest.fixture
def other_key() -> Iterator[None]:
    """As after a new CONSOLE_KEY: the embedded runtime makes a key for each process."""
    bootstrap.signing_key.cache_clear()
    yield
    bootstrap.signing_key.cache_clear()


@pytest.mark.usefixtures("other_key")
def test_a_token_of_another_key_is_refused() -> None:
    token = token_of(user(1))
    bootstrap.signing_key.cache_clear()
    assert refused(token)
    assert token_of(user(1)) != token


def test_tokens_that_were_never_made_are_refused() -> None:
    assert all(refused(secrets.token_urlsafe(size)) for size in range(120))
    assert refused(base64.urlsafe_b64encode(person_address._cipher().encrypt(b"\0" * 48, None)).decode())
