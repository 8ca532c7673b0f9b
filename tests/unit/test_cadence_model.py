"""The packed ledger against a naive model: a list of (push, user, layer, instant)."""

import hashlib
from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.cadence.ledger import release, reserve
from functions.domain.cadence.rules import (
    CadenceRule,
    Push,
    days_to_read,
    rules_for,
)
from functions.domain.push.outcomes import Exclusion
from tests.examples import examples
from tests.factories import DEFAULT_LAYERS, DEFAULT_RULES

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
MONTH_END = datetime(2028, 2, 28, 23, 30, tzinfo=UTC)
"""In a leap year, half an hour before midnight."""
LAYERS = (1, 2, 2, 3, 3, 4, 5, 5)


def key(number: int) -> bytes:
    return hashlib.md5(str(number).encode()).digest()[:8]


USERS = [key(number) for number in range(4)]


class Ledger:
    """One partition as an adapter keeps it: it hands out the days that were asked for, and no others."""

    def __init__(self, rules: tuple[CadenceRule, ...] = DEFAULT_RULES) -> None:
        self.rules = rules
        self.days: dict[date, bytes] = {}

    def reserve(self, push: Push, users: list[bytes], now: datetime) -> dict[bytes, str]:
        rules = rules_for(push.layer, self.rules)
        read = {day: self.days.get(day, b"") for day in days_to_read(push, rules, now)}
        made = reserve(read, push, users, rules)
        assert set(made.writes) <= {push.day} <= set(read)
        self.days.update(made.writes)
        return dict(made.held_back)

    def release(self, push: Push, users: list[bytes]) -> None:
        self.days.update(release({push.day: self.days.get(push.day, b"")}, push, users))


class Model:
    """The same, naively."""

    def __init__(self) -> None:
        self.kept: dict[tuple[bytes, bytes], Push] = {}

    def rule_against(self, push: Push, user: bytes) -> str | None:
        if (push.key, user) in self.kept:
            return None
        for rule in DEFAULT_RULES:
            near = [
                other
                for (_, whose), other in self.kept.items()
                if whose == user and other.layer in rule.layers and abs(other.at - push.at) < rule.hours * HOUR
            ]
            if push.layer in rule.layers and len(near) >= rule.count:
                return rule.reason
        return None

    def reserve(self, push: Push, users: list[bytes]) -> dict[bytes, str]:
        against = {user: self.rule_against(push, user) for user in users}
        self.kept |= {(push.key, user): push for user, reason in against.items() if reason is None}
        return {user: reason for user, reason in against.items() if reason}

    def release(self, push: Push, users: list[bytes]) -> None:
        for user in users:
            self.kept.pop((push.key, user), None)

    def worst(self, rule: CadenceRule, user: bytes) -> int:
        """The most pushes of the rule's layers that any window of the rule's hours holds."""
        times = [push.at for (_, whose), push in self.kept.items() if whose == user and push.layer in rule.layers]
        return max((sum(begin <= at < begin + rule.hours * HOUR for at in times) for begin in times), default=0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "reserve", "release"]),
        st.integers(0, len(LAYERS) - 1),
        st.lists(st.sampled_from(USERS), min_size=1, max_size=6),
    ),
    max_size=30,
)
MOMENTS = st.tuples(
    st.integers(0, 8), st.sampled_from([0, 24, 71, 72, 95, 96, 167, 168]), st.sampled_from([-1, 0, 1])
)


@given(moments=st.lists(MOMENTS, min_size=len(LAYERS), max_size=len(LAYERS)), steps=STEPS)
@examples(400, few=80)
def test_any_interleaving_gives_what_the_naive_model_gives(
    moments: list[tuple[int, int, int]], steps: list[tuple[str, int, list[bytes]]]
) -> None:
    pushes = [
        Push(key=key(1_000 + number), layer=layer, at=MONTH_END + (days * 24 + hours) * HOUR + seconds * SECOND)
        for number, (layer, (days, hours, seconds)) in enumerate(zip(LAYERS, moments, strict=True))
    ]
    ledger, model, now = Ledger(), Model(), MONTH_END
    for verb, number, users in steps:
        push = pushes[number]
        now = max(now, push.at)
        if verb == "release":
            ledger.release(push, users)
            model.release(push, users)
        else:
            assert ledger.reserve(push, users, now) == model.reserve(push, users)
    for user in USERS:
        for rule in DEFAULT_RULES:
            assert model.worst(rule, user) <= rule.count


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),
    layer=st.integers(1, 5),
    late=st.integers(0, 72),
    distance=st.integers(0, 168 * 3600),
)
def test_the_days_to_read_hold_every_block_that_can_matter(
    at: datetime, layer: int, late: int, distance: int
) -> None:
    push, now = Push(key=key(1), layer=layer, at=at), at + late * HOUR
    rules = rules_for(layer, DEFAULT_RULES)
    days = days_to_read(push, rules, now)
    reach = max((rule.hours for rule in rules), default=0) * HOUR
    span = timedelta(seconds=distance)
    assert {push.day, (at - min(span, reach)).date(), min(at + span, now).date()} <= set(days)
    assert days == sorted(set(days))


def test_eight_days_are_enough_for_the_longest_rule() -> None:
    push = Push(key=key(1), layer=3, at=MONTH_END)
    days = days_to_read(push, DEFAULT_RULES, MONTH_END)
    assert (days[0], days[-1], len(days)) == (date(2028, 2, 21), date(2028, 2, 28), 8)


def test_layers_1_and_4_are_held_back_by_nothing_and_count_against_nothing() -> None:
    ledger = Ledger()
    for number, layer in enumerate([*DEFAULT_LAYERS.exempt, 2, 2, 2, *DEFAULT_LAYERS.exempt]):
        push = Push(key=key(number), layer=layer, at=MONTH_END + number * HOUR)
        assert ledger.reserve(push, USERS, push.at) == {}


def test_the_day_of_a_push_is_that_of_utc() -> None:
    local = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(2 * HOUR))
    assert Push(key=key(1), layer=3, at=local).day == date(2026, 2, 28)


def test_rules_of_a_deployment_replace_the_defaults() -> None:
    rule = CadenceRule(name="often", reason=Exclusion.COMBINED_L2_L3_LIMIT, layers=frozenset({2}), hours=1, count=2)
    ledger = Ledger((rule,))
    held = [
        ledger.reserve(Push(key=key(number), layer=2, at=MONTH_END + number * HOUR / 4), USERS[:1], MONTH_END + HOUR)
        for number in range(5)
    ]
    full = {USERS[0]: Exclusion.COMBINED_L2_L3_LIMIT}
    assert held == [{}, {}, full, full, {}]


def test_a_user_excluded_by_two_rules_is_counted_once() -> None:
    ledger = Ledger()
    for number, layer in enumerate([2, 2, 3]):
        ledger.reserve(Push(key=key(number), layer=layer, at=MONTH_END + number * SECOND), USERS, MONTH_END + HOUR)
    last = Push(key=key(9), layer=3, at=MONTH_END + HOUR)
    assert ledger.reserve(last, USERS, last.at) == dict.fromkeys(USERS, Exclusion.LAYER_3_COOLDOWN)


def test_a_user_named_twice_is_reserved_once() -> None:
    ledger, push = Ledger(), Push(key=key(1), layer=3, at=MONTH_END)
    ledger.reserve(push, USERS[:1] * 5, MONTH_END)
    assert len(ledger.days[push.day]) == 2 + 4 + 1 + 4 + len(push.key) + 8


def test_a_push_delivered_again_keeps_its_users_although_others_have_filled_the_rule_around_it() -> None:
    ledger, now = Ledger(), MONTH_END + 200 * HOUR
    pushes = [Push(key=key(hours), layer=2, at=MONTH_END + hours * HOUR) for hours in (0, -100, -99, 100, 101)]
    for push in [*pushes, *pushes]:
        assert ledger.reserve(push, USERS, now) == {}


def test_releasing_everybody_leaves_nothing_behind() -> None:
    ledger, push = Ledger(), Push(key=key(1), layer=3, at=MONTH_END)
    ledger.reserve(push, USERS, MONTH_END)
    ledger.release(push, USERS)
    ledger.release(push, USERS)
    assert ledger.days == {push.day: b""}
