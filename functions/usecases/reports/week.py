"""The sends of the last seven days in numbers, day by day, and of the seven days before.

Ended executions do not change, so each process keeps the sums of each day, and reads a day again only if its number
of executions has changed. One count tells whether any has. Executions under way are read each time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from functions.domain.errors import Unreadable
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.push.outcomes import Tally
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, ExecutionStore
from functions.usecases.timeline.built_pushes import read_built

_DAYS = 7
_DAY = timedelta(days=1)
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class SendNumbers:
    """Sends by state, their people, and their messages by outcome. Tests and dry runs do not count.

    messages = sent + failed + unknown + notReached + sum(withheld), of the sends that went live. `people_reached`
    counts each person once for each send, of the sends that have ended.
    """

    sends: int = 0
    states: Mapping[State, int] = field(default_factory=dict)
    people: int = 0
    people_reached: int = 0
    messages: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    not_reached: int = 0
    withheld: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "SendNumbers") -> "SendNumbers":
        """Add two reports, state by state and reason by reason."""
        return SendNumbers(
            **{each.name: _sum(getattr(self, each.name), getattr(other, each.name)) for each in _PARTS}
        )


_PARTS = fields(SendNumbers)


def _sum(one: Any, other: Any) -> Any:
    return one + other if isinstance(one, int) else dict(Counter(one) + Counter(other))


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


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """A day as it was read: its number of executions, the sums of the ended ones, and the ids of the others."""

    count: int
    ended: SendNumbers
    open: tuple[str, ...]


_kept: WeakKeyDictionary[ExecutionStore, Mapping[date, _Kept]] = WeakKeyDictionary()


def last_week(ports: Ports) -> Week:
    """Return the numbers of the last seven days and of the seven days before."""
    today = ports.clock.now().date()
    dates = [today - _DAY * back for back in reversed(range(2 * _DAYS))]
    kept = _kept[ports.executions] = _read_again(ports, dates, _kept.get(ports.executions, {}))
    days = [Day(date=each, numbers=_of_day(ports, kept[each])) for each in dates]
    before, week = days[:_DAYS], days[_DAYS:]
    return Week(days=week, total=_total(week), before=_total(before))


def _total(days: Sequence[Day]) -> SendNumbers:
    return sum((day.numbers for day in days), SendNumbers())


def _read_again(ports: Ports, dates: Sequence[date], kept: Mapping[date, _Kept]) -> Mapping[date, _Kept]:
    """Return the days with those read again that have changed since."""
    known = {each: kept[each] for each in dates if each in kept}
    everything = ports.executions.count(_on(dates[0], dates[-1]))
    if len(known) < len(dates) or everything != sum(day.count for day in known.values()):
        known = {each: _checked(ports, each, known.get(each)) for each in dates}
    unfinished = {each.id for each in ports.executions.unfinished()}
    return {each: _with_ended(ports, day, unfinished) for each, day in known.items()}


def _on(first: date, last: date) -> ExecutionSearch:
    return ExecutionSearch(since=_midnight(first), until=_midnight(last) + _DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _checked(ports: Ports, day: date, known: _Kept | None) -> _Kept:
    count = ports.executions.count(_on(day, day))
    if known is not None and known.count == count:
        return known
    found = list(_all(ports, _on(day, day)))
    ended = [each for each in found if _has_ended(each)]
    return _Kept(
        count=len(found),
        ended=sum((_numbers(each, each.totals) for each in ended), SendNumbers()),
        open=tuple(each.id for each in found if not _has_ended(each)),
    )


def _has_ended(execution: Execution) -> bool:
    return execution.state.final and execution.cleaned


def _all(ports: Ports, wanted: ExecutionSearch) -> Iterator[Execution]:
    after = None
    while found := ports.executions.search(wanted, most=_AT_ONCE, after=after):
        yield from found
        after = (found[-1].send_at, found[-1].id)


def _with_ended(ports: Ports, day: _Kept, unfinished: set[str]) -> _Kept:
    """Add the executions that have ended since the day was read."""
    found = [ports.executions.get(each) for each in day.open if each not in unfinished]
    ended = [each for each in found if each is not None and _has_ended(each)]
    if not ended:
        return day
    numbers = sum((_numbers(each, each.totals) for each in ended), day.ended)
    return _Kept(count=day.count, ended=numbers, open=tuple({*day.open} - {each.id for each in ended}))


def _of_day(ports: Ports, day: _Kept) -> SendNumbers:
    found = [ports.executions.get(each) for each in day.open]
    return sum((_numbers(each, _totals_now(ports, each)) for each in found if each is not None), day.ended)


def _totals_now(ports: Ports, execution: Execution) -> Tally | None:
    """Return the totals of an execution that is not cleaned up yet; None before T-0."""
    if not execution.went_live or execution.kind is Kind.TEST:
        return execution.totals
    try:
        return read_built(ports, execution).totals
    except Unreadable:  # its own page says why
        return None


def _numbers(execution: Execution, totals: Tally | None) -> SendNumbers:
    """Return the numbers of one send: no messages before T-0, and nothing for a test or a dry run."""
    if execution.kind is Kind.TEST or _dry_run(execution) or not (execution.went_live or execution.state.final):
        return SendNumbers()
    if not execution.went_live or totals is None:
        return SendNumbers(sends=1, states={execution.state: 1})
    return SendNumbers(
        sends=1,
        states={execution.state: 1},
        people=execution.people or 0 if execution.people_reached is not None else 0,
        people_reached=execution.people_reached or 0,
        messages=totals.audience_size,
        sent=totals.sent,
        failed=totals.failed,
        unknown=totals.unknown,
        not_reached=totals.not_reached,
        withheld=totals.excluded,
    )


def _dry_run(execution: Execution) -> bool:
    criteria = execution.recipe.get("audienceCriteria")
    return isinstance(criteria, Mapping) and criteria.get("testMode") is True
