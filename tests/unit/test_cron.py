"""Cron expressions, judged by cronsim."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.recipe.cron import Cron
from tests.examples import examples

EVE = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
DAYS_OF_TWO_YEARS = [EVE.date() + timedelta(days=1 + offset) for offset in range(366 + 365)]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()


def items(lowest: int, highest: int, names: list[str]) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    plain = number.map(str)
    ends = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)  # cronsim reads 3-3/2 as 3/2
    span = ends.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, highest).map(lambda every: f"/{every}")
    stepped = st.builds("{}{}".format, st.one_of(st.just("*"), span), step)
    named = st.sampled_from([*names, *(name.upper() for name in names)]) if names else plain
    return st.one_of(plain, span, stepped, named)


def a_field(lowest: int, highest: int, names: list[str] | None = None) -> st.SearchStrategy[str]:
    some = st.lists(items(lowest, highest, names or []), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), some)


EXPRESSIONS = st.builds(
    "{} {} {} {} {}".format,
    *(a_field(0, 59), a_field(0, 23), a_field(1, 31), a_field(1, 12, MONTHS), a_field(0, 7, DAYS)),
)


def theirs(expression: str, since: datetime) -> Iterator[datetime]:
    with suppress(CronSimError):  # it refuses a day that its months never have
        yield from CronSim(expression, since)


@pytest.mark.long
@given(EXPRESSIONS)
@examples(300, few=60)
def test_an_expression_names_the_days_that_cronsim_finds(expression: str) -> None:
    cron = Cron.parse(expression)
    ours = [day for day in DAYS_OF_TWO_YEARS if cron.on_day(day)]
    daily = " ".join(["0", "0", *expression.split()[2:]])
    found = takewhile(lambda moment: moment.date() <= DAYS_OF_TWO_YEARS[-1], theirs(daily, EVE))
    assert ours == [moment.date() for moment in found]


@given(EXPRESSIONS)
@examples(100, few=20)
def test_on_its_days_an_expression_matches_the_minutes_that_cronsim_finds(expression: str) -> None:
    cron = Cron.parse(expression)
    day = next(theirs(expression, EVE), EVE).replace(hour=0, minute=0)
    minutes = [day + timedelta(minutes=minute) for minute in range(24 * 60)]
    found = takewhile(lambda moment: moment <= minutes[-1], theirs(expression, day - timedelta(minutes=1)))
    assert [minute for minute in minutes if cron.matches(minute)] == list(found)


def test_both_day_fields_restricted_means_either_of_them() -> None:
    cron = Cron.parse("0 9 13 * fri")
    assert cron.on_day(datetime(2026, 11, 13).date()), "Friday the 13th"
    assert cron.on_day(datetime(2026, 11, 20).date()), "any Friday"
    assert cron.on_day(datetime(2026, 12, 13).date()), "a Sunday, but the 13th"
    assert not cron.on_day(datetime(2026, 12, 14).date())


def test_a_starred_day_field_restricts_nothing() -> None:
    cron = Cron.parse("0 9 * * 1")
    assert [cron.on_day(datetime(2026, 11, day).date()) for day in (23, 24)] == [True, False]


def test_sunday_is_0_and_7_and_sun() -> None:
    assert Cron.parse("0 9 * * 0") == Cron.parse("0 9 * * 7") == Cron.parse("0 9 * * Sun")


def test_a_number_with_a_step_counts_on_to_the_end_of_the_field() -> None:
    assert Cron.parse("5/20 * * * *").minutes == {5, 25, 45}


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("60 * * * *", "minute: '60' is not between 0 and 59"),
        ("* 24 * * *", "hour: '24' is not between 0 and 23"),
        ("* * 0 * *", "day of month: '0' is not between 1 and 31"),
        ("* * * 13 *", "month: '13' is not between 1 and 12"),
        ("* * * * 8", "day of week: '8' is not between 0 and 7"),
        ("* * * * funday", "day of week: 'funday' is not between 0 and 7"),
        ("*/0 * * * *", "minute: '*/0' has no step above 0 behind its '/'"),
        ("*/ * * * *", "minute: '*/' has no step above 0 behind its '/'"),
        ("* 5-1 * * *", "hour: '5-1' runs backwards"),
        ("* * 1, * *", "day of month: '' is not between 1 and 31"),
        ("-1 * * * *", "minute: '' is not between 0 and 59"),
        ("1.5 * * * *", "minute: '1.5' is not between 0 and 59"),
        ("* * * *", "'* * * *' has 4 fields; cron has 5: minute hour day month weekday"),
        ("0 0 9 * * *", "'0 0 9 * * *' has 6 fields; cron has 5: minute hour day month weekday"),
        ("", "'' has 0 fields; cron has 5: minute hour day month weekday"),
        ("@daily", "'@daily' has 1 fields; cron has 5: minute hour day month weekday"),
    ],
)
def test_a_wrong_expression_names_the_field_at_fault(expression: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}$"):
        Cron.parse(expression)


@given(st.text(alphabet="0123456789*/,- ²٣abc\ud800", max_size=30))
def test_no_text_does_worse_than_a_complaint(text: str) -> None:
    with suppress(ValueError):
        assert Cron.parse(text).minutes, "what is read names at least one minute"
