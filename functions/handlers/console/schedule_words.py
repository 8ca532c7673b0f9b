"""A recipe's schedule in words."""

from calendar import month_name
from datetime import datetime, timedelta

from functions.domain.recipe.cron import Cron
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.schedule import Frequency, Schedule
from functions.handlers.console.words import city

_MINUTE = timedelta(minutes=1)
_MONTHS, _LONGEST_MONTH = 12, 31
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def in_words(recipe: Recipe) -> str:
    """Describe a recipe's schedule: Every Monday and Friday at 18:30 New York, from 1 January 2026 on."""
    return schedule_in_words(recipe.schedule)


def schedule_in_words(schedule: Schedule) -> str:
    """Describe a schedule."""
    written = f"{_days(schedule)} at {_times(schedule)} {city(schedule.zone)}"
    if schedule.frequency is Frequency.ONCE:
        return written
    if schedule.start_date.year > 1:
        written += f", from {_date(schedule.start_date)} on"
    if schedule.end_date.year < 9999:
        written += f", until {_date(schedule.end_date)}"
    return written


def short_preparation(schedule: Schedule, send_at: datetime, now: datetime) -> str:
    """Say how much time is left to prepare a send that is nearer than the lead time; empty for any other."""
    left, lead = (send_at - now) // _MINUTE, schedule.lead // _MINUTE
    if send_at >= now + schedule.lead:
        return ""
    return f"Preparing starts as soon as it is active, with {left} of its {lead} minutes to test and cancel."


def _days(schedule: Schedule) -> str:
    if schedule.frequency is Frequency.ONCE:
        return f"Once, on {_date(schedule.start_date)}"
    if schedule.frequency is Frequency.WEEKLY:
        return f"Every {_weekdays(schedule.days_of_week)}"
    if schedule.frequency is Frequency.MONTHLY:
        late = " (the last day of a shorter month)" if schedule.day_of_month > 28 else ""
        return f"Monthly on day {schedule.day_of_month}{late}"
    return "Every day" if schedule.cron is None else _cron_days(schedule.cron)


def _weekdays(days: frozenset[int]) -> str:
    """Write days of the week, Monday first: Monday and Friday; day, if all are there."""
    if len(days) == len(_DAYS):
        return "day"
    return _listed([_DAYS[day] for day in sorted(days, key=lambda day: (day - 1) % 7)])


def _cron_days(cron: Cron) -> str:
    """Write the days of a cron expression: Every Monday in May and June."""
    weekly, dated = len(cron.weekdays) < len(_DAYS), len(cron.days) < _LONGEST_MONTH
    days = f"day {_listed([str(day) for day in sorted(cron.days)])} of the month"
    if weekly and dated:
        weekdays = _weekdays(cron.weekdays)
        written = f"On {days} and every {weekdays}" if cron.either_day else f"Every {weekdays} that is {days}"
    else:
        written = f"On {days}" if dated else f"Every {_weekdays(cron.weekdays)}"
    months = _listed([month_name[month] for month in sorted(cron.months)])
    return written if len(cron.months) == _MONTHS else f"{written} in {months}"


def _times(schedule: Schedule) -> str:
    if schedule.cron is None:
        return f"{schedule.send_time:%H:%M}"
    times = _cron_times(schedule.cron)
    return _listed(times) if len(times) <= 6 else f"{len(times)} times of day"


def _cron_times(cron: Cron) -> list[str]:
    return [f"{hour:02d}:{minute:02d}" for hour in sorted(cron.hours) for minute in sorted(cron.minutes)]


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _date(day: object) -> str:
    return f"{day:%d %B %Y}".lstrip("0")
