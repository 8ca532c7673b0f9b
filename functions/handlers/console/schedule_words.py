"""A recipe's schedule in words."""

from functions.domain.recipe.cron import Cron
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.schedule import Frequency, Schedule
from functions.handlers.console.words import city

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def in_words(recipe: Recipe) -> str:
    """Describe a schedule: Every Monday and Friday at 18:30 New York, from 1 January 2026 on."""
    schedule = recipe.schedule
    written = f"{_days(schedule)} at {_times(schedule)} {city(schedule.zone)}"
    if schedule.frequency is Frequency.ONCE:
        return written
    if recipe.schedule.start_date.year > 1:
        written += f", from {_date(schedule.start_date)} on"
    if schedule.end_date.year < 9999:
        written += f", until {_date(schedule.end_date)}"
    return written


def _days(schedule: Schedule) -> str:
    if schedule.frequency is Frequency.ONCE:
        return f"Once, on {_date(schedule.start_date)}"
    if schedule.frequency is Frequency.WEEKLY:
        days = sorted(schedule.days_of_week, key=lambda day: (day - 1) % 7)
        return "Every day" if len(days) == 7 else f"Every {_listed([_DAYS[day] for day in days])}"
    if schedule.frequency is Frequency.MONTHLY:
        late = " (the last day of a shorter month)" if schedule.day_of_month > 28 else ""
        return f"Monthly on day {schedule.day_of_month}{late}"
    if schedule.frequency is Frequency.CUSTOM:
        return "On the days of its cron expression"
    return "Every day"


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
