"""The sends of the last seven days in numbers, day by day, and of the seven days before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.reports.send_numbers import SendNumbers, sums_of

_DAYS = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Day:
    """The sends of a day in UTC."""

    date: date
    numbers: SendNumbers


@dataclass(frozen=True, kw_only=True)
class Week:
    """The last seven days in UTC, the last of which is today, their sum, and that of the seven days before."""

    days: Sequence[Day]
    total: SendNumbers
    before: SendNumbers


def last_week(ports: Ports) -> Week:
    """Return the numbers of the last seven days and of the seven days before."""
    today = ports.clock.now().date()
    dates = [today - _DAY * back for back in reversed(range(2 * _DAYS))]
    sums = sums_of(ports, [ExecutionSearch(since=_midnight(each), until=_midnight(each + _DAY)) for each in dates])
    days = [Day(date=each, numbers=numbers) for each, numbers in zip(dates, sums, strict=True)]
    return Week(days=days[_DAYS:], total=_total(sums[_DAYS:]), before=_total(sums[:_DAYS]))


def week_of(ports: Ports, recipe_id: str) -> SendNumbers:
    """Return the numbers of a recipe's sends in the same seven days."""
    return sums_of(ports, [_span_of_week(ports, recipe_id)])[0]


def week_begins(ports: Ports) -> datetime:
    """Return the first instant of the seven days."""
    return _midnight(ports.clock.now().date() - _DAY * (_DAYS - 1))


def _span_of_week(ports: Ports, recipe_id: str) -> ExecutionSearch:
    since = week_begins(ports)
    return ExecutionSearch(recipe_id=recipe_id, since=since, until=since + _DAY * _DAYS)


def _total(sums: Sequence[SendNumbers]) -> SendNumbers:
    return sum(sums, SendNumbers())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
