"""When a recipe sends, rule by rule; test_schedule_every_zone.py tries them in every zone."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from functions.domain.recipe.cron import Cron
from functions.domain.recipe.schedule import (
    Frequency,
    Schedule,
    instant_of,
    scheduler_cron,
    sends_from,
    slot_for,
    starts_from,
)

ZONES = sorted(available_timezones())
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def schedule(zone: str = "America/New_York", at: str = "18:30", lead: int = 30, **changes: object) -> Schedule:
    """A daily schedule unless told otherwise."""
    fields: dict[str, object] = {"frequency": Frequency.DAILY, **changes}
    return Schedule(
        zone=ZoneInfo(zone),
        send_time=time.fromisoformat(at),
        lead=timedelta(minutes=lead),
        **fields,  # type: ignore[arg-type]
    )


def test_the_cron_of_an_ordinary_recipe_is_what_a_person_would_write() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    assert scheduler_cron(schedule(), now) == "0 18 * * *"
    assert scheduler_cron(schedule(frequency=Frequency.WEEKLY), now) == "0 18 * * 1"
    assert scheduler_cron(schedule(at="00:10", frequency=Frequency.WEEKLY), now) == "40 23 * * 0"
    assert scheduler_cron(schedule("UTC", frequency=Frequency.MONTHLY, day_of_month=31), now) == "0 18 28,30,31 * *"


def test_a_send_at_ten_past_midnight_starts_the_evening_before() -> None:
    start = next(starts_from(schedule("UTC", "00:10"), datetime(2026, 3, 2, tzinfo=UTC)))
    assert start == datetime(2026, 3, 2, 23, 40, tzinfo=UTC)
    assert slot_for(schedule("UTC", "00:10"), start) == datetime(2026, 3, 3, 0, 10, tzinfo=UTC)


def test_a_fire_some_seconds_late_belongs_to_its_minute() -> None:
    fired = datetime(2026, 3, 2, 18, 0, 7, tzinfo=UTC)
    assert slot_for(schedule("UTC"), fired) == datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def test_a_skipped_time_is_sent_at_the_first_minute_after_the_gap() -> None:
    assert instant_of(datetime(2026, 3, 8, 2, 30), ZoneInfo("America/New_York")) == datetime(
        2026, 3, 8, 7, tzinfo=UTC
    )


def test_a_repeated_time_is_sent_at_the_first_of_the_two() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert instant_of(datetime(2026, 11, 1, 1, 30), ZoneInfo("America/New_York")) == first


def test_a_day_that_a_zone_skipped_is_sent_when_the_next_one_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")  # crossed the date line: there was no 30 December 2011
    assert instant_of(datetime(2011, 12, 30, 18, 30), apia).astimezone(apia) == datetime(2011, 12, 31, tzinfo=apia)


def local_days(rule: Schedule, since: datetime, count: int) -> list[str]:
    return [f"{send.astimezone(rule.zone):%a %d.%m.}" for send in islice(sends_from(rule, since), count)]


def test_frequencies_send_on_their_days() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    weekly = schedule("UTC", frequency=Frequency.WEEKLY)
    assert local_days(weekly, since, 2) == ["Mon 05.01.", "Mon 12.01."]
    twice = schedule("UTC", frequency=Frequency.WEEKLY, days_of_week=frozenset({0, 6}))
    assert local_days(twice, since, 3) == ["Sat 03.01.", "Sun 04.01.", "Sat 10.01."]
    monthly = schedule("UTC", frequency=Frequency.MONTHLY, day_of_month=31)
    assert local_days(monthly, since, 4) == ["Sat 31.01.", "Sat 28.02.", "Tue 31.03.", "Thu 30.04."]
    either = schedule("UTC", frequency=Frequency.CUSTOM, cron=Cron.parse("0 9 13 * fri"))
    assert local_days(either, since, 3) == ["Fri 02.01.", "Fri 09.01.", "Tue 13.01."]


def test_start_and_end_are_included() -> None:
    rule = schedule("UTC", start_date=date(2026, 3, 2), end_date=date(2026, 3, 4))
    assert local_days(rule, FIRST, 9) == ["Mon 02.03.", "Tue 03.03.", "Wed 04.03."]


def test_once_sends_once_and_then_needs_no_schedule() -> None:
    rule = schedule("UTC", frequency=Frequency.ONCE, start_date=date(2026, 3, 2))
    assert local_days(rule, FIRST, 9) == ["Mon 02.03."]
    assert scheduler_cron(rule, FIRST) == "0 18 2 3 *"
    assert scheduler_cron(rule, datetime(2026, 3, 4, tzinfo=UTC)) is None


def test_a_cron_that_names_no_day_ends_instead_of_searching_for_ever() -> None:
    rule = schedule("UTC", frequency=Frequency.CUSTOM, cron=Cron.parse("0 9 30 2 *"))
    assert next(sends_from(rule, FIRST), None) is None
    assert scheduler_cron(rule, FIRST) is None


def test_a_schedule_that_begins_far_ahead_has_its_cron_already() -> None:
    assert scheduler_cron(schedule("UTC", start_date=date(2031, 1, 1)), FIRST) == "0 18 * * *"
