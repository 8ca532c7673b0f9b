"""The packed days of the ledger: what a user was reserved, and how much a day holds."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.cadence.ledger import MOST_DAY_BYTES, Reserved, add_sent, release, reserve, reserved
from functions.domain.cadence.rules import Push, days_between, rules_for
from functions.domain.errors import LedgerFull
from functions.domain.ids import push_key
from tests.factories import DEFAULT_RULES

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def key(number: int) -> bytes:
    return hashlib.md5(str(number).encode()).digest()[:8]


def a_push(number: int, at: datetime, layer: int = 2) -> Push:
    return Push(key=push_key("daily_20261123T120000Z", number), layer=layer, at=at)


def test_a_users_pushes_are_read_by_name_the_oldest_first() -> None:
    users = [key(number) for number in range(50)]
    first, second = a_push(2, NOON), a_push(1, NOON + DAY, layer=3)
    days = dict(reserve({}, first, users, ()).writes)
    days |= reserve(days, second, users[:10], ()).writes
    assert reserved(days, users[3]) == [
        Reserved(push="daily_20261123T120000Z/2", layer=2, at=NOON),
        Reserved(push="daily_20261123T120000Z/1", layer=3, at=NOON + DAY),
    ]
    assert [push.layer for push in reserved(days, users[20])] == [2]
    assert reserved(days, key(999)) == []
    assert reserved(release(days, first, users[20:21]), users[20]) == []


def test_user_keys_ascend_as_in_the_audience_files() -> None:
    users = [key(number) for number in range(500)]
    [packed] = reserve({}, a_push(1, NOON), users, ()).writes.values()
    stored = packed[-8 * 500 :]
    assert [stored[start : start + 8] for start in range(0, len(stored), 8)] == sorted(users)


def test_a_day_holds_what_a_document_holds_and_says_when_it_is_full() -> None:
    most = MOST_DAY_BYTES // 8
    rules = rules_for(2, DEFAULT_RULES)
    users = [number.to_bytes(8, "big") for number in range(most)]
    with pytest.raises(LedgerFull, match=r"2026-11-23 cannot hold 125,000 users more"):
        reserve({}, a_push(1, NOON), users, rules)
    days = reserve({}, a_push(1, NOON), users[: most - 10], rules).writes
    with pytest.raises(LedgerFull):
        reserve(days, a_push(2, NOON), users[:10], rules)
    assert reserve(days, a_push(1, NOON), users[:10], rules).writes == {}, "who has a place keeps it"


def test_days_between_two_instants_include_both() -> None:
    assert [day.day for day in days_between(NOON - 2 * DAY, NOON)] == [21, 22, 23]


def past(second: int, layer: int = 3, name: str = "old") -> Push:
    at = NOON + timedelta(seconds=second)
    return Push(key=f"import/{second}/{layer}/{name}".encode(), layer=layer, at=at)


def test_what_was_sent_before_counts_as_what_was_reserved() -> None:
    packed, added = add_sent(b"", {past(0): [key(1), key(2)], past(7): [key(1)]})
    assert added == 3
    held = reserve({NOON.date(): packed}, a_push(1, NOON + DAY, layer=3), [key(1), key(2), key(3)], DEFAULT_RULES[:1])
    assert set(held.held_back) == {key(1), key(2)}


def test_the_same_user_layer_and_second_is_added_once_whatever_it_is_called() -> None:
    once, _ = add_sent(b"", {past(0): [key(1), key(1)]})
    assert add_sent(once, {past(0): [key(1)], past(0, name="again"): [key(1)]}) == (once, 0)
    both, added = add_sent(once, {past(0): [key(1), key(2)], past(0, layer=2): [key(1)]})
    assert added == 2
    assert [push.layer for push in reserved({NOON.date(): both}, key(1))] == [2, 3]


def test_what_an_execution_has_sent_is_not_added_again() -> None:
    day = reserve({}, a_push(1, NOON, layer=3), [key(1)], ()).writes[NOON.date()]
    assert add_sent(day, {past(0): [key(1)]}) == (day, 0)


def test_a_full_day_takes_nothing_more_of_the_past() -> None:
    many = [number.to_bytes(8, "big") for number in range(MOST_DAY_BYTES // 8)]
    with pytest.raises(LedgerFull, match="cannot hold 125,000 pushes more"):
        add_sent(b"", {past(0): many})
