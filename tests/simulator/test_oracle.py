"""The oracle of send times agrees with what the calendar says."""

from datetime import UTC, datetime

from local.simulator.judge.oracle import sends


def schedule(zone: str, clock: str, **more: object) -> dict[str, object]:
    return {"schedule": {"timezone": zone, "executionTime": clock, "frequency": "daily", **more}}


def between(recipe: dict[str, object], first: datetime, last: datetime) -> list[str]:
    return [f"{at:%m-%d %H:%M}" for at in sends(recipe, first, last)]


def test_a_skipped_time_is_sent_at_the_end_of_the_gap_and_a_repeated_one_at_the_first() -> None:
    spring = (datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC))
    assert between(schedule("America/New_York", "02:30"), *spring) == ["03-08 07:00", "03-09 06:30"]
    autumn = (datetime(2026, 10, 31, 12, tzinfo=UTC), datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert between(schedule("America/New_York", "01:30"), *autumn) == ["11-01 05:30", "11-02 06:30"]


def test_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    february = (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 4, 1, tzinfo=UTC))
    recipe = schedule("UTC", "09:00", frequency="monthly", dayOfMonth=31)
    assert between(recipe, *february) == ["02-29 09:00", "03-31 09:00"]


def test_a_repeated_hour_of_half_an_hour_is_known() -> None:
    days = (datetime(2026, 4, 4, 10, tzinfo=UTC), datetime(2026, 4, 5, 10, tzinfo=UTC))
    assert between(schedule("Australia/Lord_Howe", "01:45"), *days) == ["04-04 14:45"]
