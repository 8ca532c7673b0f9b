"""The sends of days: those that were, in the states in which they ended, and those that are planned."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from operator import itemgetter

from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.plan import Plan
from functions.domain.recipe.schedule import Frequency
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.reports.campaign_index import campaign_plans
from functions.usecases.reports.executions import name_of
from functions.usecases.reports.upcoming import Upcoming, planned

_MOST_READ = 200
"""If the days had more sends, only the first ones of each day are read."""
_MOST_LISTED = 300
"""The planned sends of a day that are listed one by one; all of them are counted."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The sends of a campaign on a day, in order of time."""

    sends: Sequence[Upcoming]
    unread: int = 0
    """How many others the campaign has on this day."""

    @property
    def count(self) -> int:
        """The number of its sends."""
        return len(self.sends) + self.unread

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
        return not self.unread and all(
            each.is_off and not (each.execution and each.execution.went_live) for each in self.sends
        )


@dataclass(frozen=True, kw_only=True)
class DayOfSends:
    """The first lines of a day, and how many sends are in none of them."""

    lines: Sequence[Line]
    more: int

    @property
    def total(self) -> int:
        """The number of its sends."""
        return sum(line.count for line in self.lines) + self.more


def sends_of_days(ports: Ports, days: Sequence[Span], *, most: int) -> Sequence[DayOfSends]:
    """Return the sends of consecutive days, at most 31, each with at most `most` lines. Tests are left out."""
    now, (since, until) = ports.clock.now(), (days[0][0], days[-1][1])
    wanted = ExecutionSearch(since=since, until=until)
    plans = campaign_plans(ports) if until > now else ()
    coming = planned(plans, max(now, since), until) if until > now else ()
    if skipped := _skipped(plans, since, until):
        coming = sorted([*coming, *skipped], key=itemgetter(0, 1))
    if ports.executions.count(wanted) <= _MOST_READ:
        begun = ports.executions.search(wanted, most=_MOST_READ, oldest_first=True)
        executions = [each for each in begun if each.kind is not Kind.TEST]
        return [_day(_between(executions, day), _slice(coming, day), most, {}) for day in days]
    return [_busy(ports, day, _slice(coming, day), most) for day in days]


def _skipped(plans: Sequence[Plan], since: datetime, until: datetime) -> Sequence[Upcoming]:
    return [
        Upcoming(at, plan.recipe_id, plan.name, plan.zone, skipped=True)
        for plan in plans
        for at in plan.skipped(since, until)
    ]


def _busy(ports: Ports, day: Span, coming: Sequence[Upcoming], most: int) -> DayOfSends:
    """Read the first sends of a day with many. The others are counted, also those of each campaign that repeats."""
    wanted = ExecutionSearch(since=day[0], until=day[1])
    found = ports.executions.search(wanted, most=most, oldest_first=True) if day[0] <= ports.clock.now() else ()
    executions = [each for each in found if each.kind is not Kind.TEST]
    if len(found) < most:
        return _day(executions, coming, most, {})
    read = Counter(each.recipe_id for each in found)
    repeats = {each.recipe_id for each in executions if read[each.recipe_id] > 1 or _may_repeat(each)}
    of_each = {each: ports.executions.count(replace(wanted, recipe_id=each)) - read[each] for each in repeats}
    others = ports.executions.count(wanted) - len(found) - sum(of_each.values())
    return _day(executions, coming, most, of_each, others)


def _may_repeat(execution: Execution) -> bool:
    """Return whether a schedule can send more than once a day: `Schedule.by_day`."""
    schedule = execution.recipe.get("schedule")
    return not isinstance(schedule, Mapping) or schedule.get("frequency") == Frequency.CUSTOM.value


def _between(executions: Sequence[Execution], day: Span) -> Sequence[Execution]:
    first, last = (bisect_left(executions, at, key=lambda each: each.send_at) for at in day)
    return executions[first:last]


def _slice(sends: Sequence[Upcoming], day: Span) -> Sequence[Upcoming]:
    first, last = (bisect_left(sends, at, key=itemgetter(0)) for at in day)
    return sends[first:last]


def _day(
    executions: Sequence[Execution],
    coming: Sequence[Upcoming],
    most: int,
    unread: Mapping[str, int],
    others: int = 0,
) -> DayOfSends:
    """Return a day. `unread` are the executions of campaigns that were not read, and `others` those of the rest."""
    started = {(each.recipe_id, each.send_at) for each in executions if each.kind is Kind.SCHEDULED}
    ahead = [each for each in coming if (each.recipe_id, each.at) not in started] if started else coming
    sends = [*map(_begun, executions), *ahead[:_MOST_LISTED]]
    more = Counter(unread) + Counter(each.recipe_id for each in ahead[_MOST_LISTED:])
    found: dict[str, list[Upcoming]] = {}
    for each in sorted(sends, key=itemgetter(0, 1)):
        found.setdefault(each.recipe_id, []).append(each)
    lines = [Line(sends=together, unread=more[recipe_id]) for recipe_id, together in islice(found.items(), most)]
    total = len(sends) + sum(more.values()) + others
    return DayOfSends(lines=lines, more=total - sum(line.count for line in lines))


def _begun(execution: Execution) -> Upcoming:
    schedule = execution.recipe.get("schedule")
    zone = schedule.get("timezone") if isinstance(schedule, Mapping) else None
    name, known = name_of(execution), zone if isinstance(zone, str) else "UTC"
    return Upcoming(execution.send_at, execution.recipe_id, name, known, execution)
