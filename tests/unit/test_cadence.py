"""Cadence, rule by rule."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.domain.cadence.ledger import release, reserve
from functions.domain.cadence.rules import CadenceRule, Push, days_to_read, rules_for
from functions.domain.push.outcomes import Exclusion
from tests.factories import DEFAULT_RULES

START = datetime(2026, 2, 27, 18, 30, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def key(number: int) -> bytes:
    return hashlib.md5(str(number).encode()).digest()[:8]


def push(number: int, layer: int, at: datetime) -> Push:
    return Push(key=key(1_000_000 + number), layer=layer, at=at)


class Ledger:
    """The days of one partition, as an adapter keeps them."""

    def __init__(self, rules: tuple[CadenceRule, ...] = DEFAULT_RULES) -> None:
        self.days: dict[date, bytes] = {}
        self.rules = rules
        self.now = START

    def reserve(self, push: Push, *users: int) -> dict[int, str]:
        """Reserve, and return who is held back and by which rule."""
        rules = rules_for(push.layer, self.rules)
        self.now = max(self.now, push.at)
        read = {day: self.days.get(day, b"") for day in days_to_read(push, rules, self.now)}
        made = reserve(read, push, [key(user) for user in users], rules)
        self.days.update(made.writes)
        return {user: made.held_back[key(user)] for user in users if key(user) in made.held_back}

    def release(self, push: Push, *users: int) -> None:
        self.days.update(release({push.day: self.days.get(push.day, b"")}, push, [key(user) for user in users]))


@pytest.mark.parametrize(
    ("layer", "hours", "reason"), [(3, 72, Exclusion.LAYER_3_COOLDOWN), (5, 96, Exclusion.LAYER_5_COOLDOWN)]
)
def test_a_cooldown_ends_exactly_after_its_hours(layer: int, hours: int, reason: Exclusion) -> None:
    for distance, expected in ((hours * HOUR - SECOND, {1: reason}), (hours * HOUR, {})):
        ledger = Ledger()
        assert ledger.reserve(push(1, layer, START), 1) == {}
        assert ledger.reserve(push(2, layer, START + distance), 1, 2) == expected


def test_three_pushes_of_layers_2_and_3_fill_a_week() -> None:
    ledger = Ledger()
    for number in range(3):
        assert ledger.reserve(push(number, 2, START + number * HOUR), 1) == {}
    full = {1: Exclusion.COMBINED_L2_L3_LIMIT}
    assert ledger.reserve(push(4, 2, START + 168 * HOUR - SECOND), 1) == full
    assert ledger.reserve(push(5, 3, START + 100 * HOUR), 1) == full
    assert ledger.reserve(push(6, 2, START + 168 * HOUR), 1) == {}


@pytest.mark.parametrize("layer", [1, 4])
def test_layers_1_and_4_are_held_back_by_nothing(layer: int) -> None:
    assert rules_for(layer, DEFAULT_RULES) == ()


def test_a_layer_does_not_hold_back_another() -> None:
    ledger = Ledger()
    ledger.reserve(push(1, 3, START), 1)
    assert ledger.reserve(push(2, 5, START + HOUR), 1) == {}


def test_pushes_of_one_sequence_count_against_each_other() -> None:
    ledger = Ledger()
    ledger.reserve(push(1, 3, START), 1, 2)
    assert ledger.reserve(push(2, 3, START + HOUR), 2, 3) == {2: Exclusion.LAYER_3_COOLDOWN}


def test_a_push_that_comes_late_is_judged_as_if_it_had_come_in_time() -> None:
    ledger = Ledger()
    late, next_one = push(1, 3, START), push(2, 3, START + HOUR)
    ledger.reserve(next_one, 1)
    assert ledger.reserve(late, 1) == {1: Exclusion.LAYER_3_COOLDOWN}


def test_reserving_again_changes_nothing() -> None:
    ledger = Ledger()
    ledger.reserve(push(1, 3, START), 1, 2)
    before = dict(ledger.days)
    assert ledger.reserve(push(1, 3, START), 1, 2) == {}
    assert ledger.days == before


def test_a_released_user_is_free_again_and_the_others_are_not() -> None:
    ledger = Ledger()
    first = push(1, 3, START)
    ledger.reserve(first, 1, 2, 3)
    ledger.release(first, 2)
    ledger.release(first, 2)
    assert set(ledger.reserve(push(2, 3, START + HOUR), 1, 2, 3)) == {1, 3}


def test_an_inactive_rule_excludes_no_user() -> None:
    rule = CadenceRule(name="off", reason=Exclusion.LAYER_3_COOLDOWN, layers=frozenset({3}), hours=72, active=False)
    ledger = Ledger((rule,))
    ledger.reserve(push(1, 3, START), 1)
    assert ledger.reserve(push(2, 3, START + HOUR), 1) == {}
