"""The sends of days: those that were, in the states in which they ended, and those that are planned."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from functions.domain.execution.execution import Execution, Kind
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.reports.executions import name_of
from functions.usecases.reports.upcoming import Upcoming, planned

_MOST_READ = 200
"""If the days had more sends, only the first ones of each day are read."""
_MOST_GROUPED = 60
Span = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The sends of a campaign on a day, in order of time."""

    sends: Sequence[Upcoming]

    @property
    def first(self) -> Upcoming:
        """The first of them."""
        return self.sends[0]

    @property
    def states(self) -> Mapping[str, int]:
        """How many have started or are skipped, by state."""
        started = Counter(each.execution.state.value for each in self.sends if each.execution)
        skipped = sum(each.skipped for each in self.sends)
        return started | ({"skipped": skipped} if skipped else {})

    @property
    def nothing_sent(self) -> bool:
        """Whether every one of them ended before it sent anything."""
        return all(each.is_off and not (each.execution and each.execution.went_live) for each in self.sends)


@dataclass(frozen=True, kw_only=True)
class DayOfSends:
    """The first lines of a day, and how many sends are in none of them."""

    lines: Sequence[Line]
    more: int

    @property
    def total(self) -> int:
        """The number of its sends."""
        return sum(len(line.sends) for line in self.lines) + self.more


def sends_of_days(ports: Ports, days: Sequence[Span], *, most: int) -> Sequence[DayOfSends]:
    """Return the sends of consecutive days, at most 31, each with at most `most` lines. Tests are left out."""
    now, (since, until) = ports.clock.now(), (days[0][0], days[-1][1])
    wanted = ExecutionSearch(since=since, until=until)
    coming = planned(ports, max(now, since), until) if until > now else ()
    if skipped := _skipped(ports, since, until):
        coming = sorted([*coming, *skipped], key=itemgetter(0, 1))
    if ports.executions.count(wanted) <= _MOST_READ:
        begun = ports.executions.search(wanted, most=_MOST_READ, oldest_first=True)
        executions = [each for each in begun if each.kind is not Kind.TEST]
        return [_day(_between(executions, day), 0, _slice(coming, day), most) for day in days]
    return [_day(*_busy(ports, day, most), _slice(coming, day), most) for day in days]


def _skipped(ports: Ports, since: datetime, until: datetime) -> Sequence[Upcoming]:
    return [
        Upcoming(at, plan.recipe_id, plan.name, plan.zone, skipped=True)
        for plan in ports.recipes.plans()
        for at in plan.skipped(since, until)
    ]


def _busy(ports: Ports, day: Span, most: int) -> tuple[Sequence[Execution], int]:
    """Return the first sends of a day with many, and how many others it has."""
    wanted = ExecutionSearch(since=day[0], until=day[1])
    found = ports.executions.search(wanted, most=most, oldest_first=True)
    return [each for each in found if each.kind is not Kind.TEST], ports.executions.count(wanted) - len(found)


def _between(executions: Sequence[Execution], day: Span) -> Sequence[Execution]:
    first, last = (bisect_left(executions, at, key=lambda each: each.send_at) for at in day)
    return executions[first:last]


def _slice(sends: Sequence[Upcoming], day: Span) -> Sequence[Upcoming]:
    first, last = (bisect_left(sends, at, key=itemgetter(0)) for at in day)
    return sends[first:last]


def _day(executions: Sequence[Execution], unread: int, coming: Sequence[Upcoming], most: int) -> DayOfSends:
    started = {(each.recipe_id, each.send_at) for each in executions if each.kind is Kind.SCHEDULED}
    sends = [_begun(each) for each in executions]
    sends += [each for each in coming[:_MOST_GROUPED] if (each.recipe_id, each.at) not in started]
    unread += max(0, len(coming) - _MOST_GROUPED)
    lines = _lines(sorted(sends, key=itemgetter(0, 1)))
    hidden = sum(len(line.sends) for line in lines[most:])
    return DayOfSends(lines=lines[:most], more=hidden + unread)


def _lines(sends: Iterable[Upcoming]) -> Sequence[Line]:
    """Return one line for each campaign, in order of their first sends."""
    found: dict[str, list[Upcoming]] = {}
    for each in sends:
        found.setdefault(each.recipe_id, []).append(each)
    return [Line(sends=together) for together in found.values()]


def _begun(execution: Execution) -> Upcoming:
    schedule = execution.recipe.get("schedule")
    zone = schedule.get("timezone") if isinstance(schedule, Mapping) else None
    name, known = name_of(execution), zone if isinstance(zone, str) else "UTC"
    return Upcoming(execution.send_at, execution.recipe_id, name, known, execution)
