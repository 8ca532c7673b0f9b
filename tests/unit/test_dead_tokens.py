"""Dead tokens: buried, found again, and forgotten after sixty days."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.audience.dead_tokens import KEPT, MOST_BYTES, DeadTokens, bury, lift, token_key

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def is_dead(graves: bytes, token: str, at: datetime, registered: datetime | None = None) -> bool:
    return DeadTokens([graves], at).has(token, str(int(registered.timestamp())) if registered else "")


def test_a_token_is_dead_for_sixty_days() -> None:
    graves = bury(b"", ["a"], NOON)
    assert is_dead(graves, "a", NOON)
    assert is_dead(graves, "a", NOON + KEPT - SECOND)
    assert not is_dead(graves, "a", NOON + KEPT)
    assert not is_dead(graves, "b", NOON)


def test_a_token_that_is_buried_again_is_dead_from_then_on() -> None:
    graves = bury(b"", ["a", "b"], NOON)
    assert bury(graves, ["b", "a", "a"], NOON + SECOND) == bury(b"", ["b", "a"], NOON + SECOND)


def test_a_token_that_the_app_registers_after_its_burial_is_alive() -> None:
    graves, later = bury(b"", ["a"], NOON), NOON + timedelta(hours=1)
    assert is_dead(graves, "a", later, registered=NOON)
    assert not is_dead(graves, "a", later, registered=NOON + SECOND)
    assert is_dead(bury(graves, ["a"], later), "a", later, registered=NOON + SECOND)


def test_a_registration_in_the_future_lifts_no_grave() -> None:
    graves = bury(b"", ["a"], NOON)
    assert is_dead(graves, "a", NOON, registered=NOON + SECOND)
    assert not is_dead(graves, "a", NOON + SECOND, registered=NOON + SECOND)


def test_a_burial_clears_away_what_has_expired() -> None:
    graves = bury(bury(b"", ["old"], NOON), ["new"], NOON + KEPT)
    assert graves == bury(b"", ["new"], NOON + KEPT)


def test_the_oldest_graves_are_given_up_where_there_is_no_more_room() -> None:
    many = [f"token-{number}" for number in range(MOST_BYTES // 12)]
    graves = bury(bury(b"", many, NOON), ["last"], NOON)
    assert len(graves) <= MOST_BYTES
    assert is_dead(graves, "last", NOON)
    assert is_dead(graves, many[-1], NOON)
    assert not is_dead(graves, many[0], NOON)


def test_no_token_can_be_read_out_of_its_grave() -> None:
    assert b"secret" not in bury(b"", ["secret-token"], NOON)


@pytest.mark.long
@given(st.lists(st.lists(st.text(max_size=20), max_size=5), max_size=6))
def test_every_token_that_was_buried_is_dead_and_no_other(burials: list[list[str]]) -> None:
    graves = b""
    for tokens in burials:
        graves = bury(graves, tokens, NOON)
    buried = {token for tokens in burials for token in tokens}
    assert all(is_dead(graves, token, NOON) for token in buried)
    assert len(DeadTokens([graves], NOON)) == len(buried)
    assert len(graves) == 12 * len(buried)


def test_graves_are_lifted_by_token_and_by_when_they_were_buried() -> None:
    graves = bury(bury(b"", ["old"], NOON - SECOND), ["a", "b"], NOON)
    assert lift(graves, keys={token_key("a"), token_key("unknown")}) == (
        bury(bury(b"", ["old"], NOON - SECOND), ["b"], NOON),
        1,
    )
    assert lift(graves, since=NOON) == (bury(b"", ["old"], NOON - SECOND), 2)
    assert lift(graves, since=NOON + SECOND) == (graves, 0)
