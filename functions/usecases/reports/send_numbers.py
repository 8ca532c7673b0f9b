"""Sums of sends: of days, and of a campaign's week.

Ended executions do not change, so each process keeps their sums. A count tells whether there are new executions.
New ones have later T-0s, so only these are read; if they do not explain the count, everything is read again.
Executions under way are read each time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from functions.domain.errors import Unreadable
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.push.outcomes import Tally
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, ExecutionStore
from functions.usecases.timeline.built_pushes import read_built

_AT_ONCE = 500
_MOST_KEPT = 3_000
"""How many sums a process keeps: a week of as many campaigns. The oldest ones are read again."""


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
class _Kept:
    """A search as it was read: its executions, the sum of the ended ones, and the ids of the others.

    `newest` are the ids of those with the latest T-0, `newest_at`.
    """

    count: int = 0
    ended: SendNumbers = field(default_factory=SendNumbers)
    open: tuple[str, ...] = ()
    newest_at: datetime | None = None
    newest: frozenset[str] = frozenset()


_kept: WeakKeyDictionary[ExecutionStore, dict[ExecutionSearch, _Kept]] = WeakKeyDictionary()


def sums_of(ports: Ports, spans: Sequence[ExecutionSearch]) -> Sequence[SendNumbers]:
    """Return the sum of each search. The searches differ only in their times, which follow each other."""
    kept = _kept.setdefault(ports.executions, {})
    known = {span: kept[span] for span in spans if span in kept}
    count = ports.executions.count(replace(spans[0], until=spans[-1].until))
    if len(known) < len(spans) or count != sum(each.count for each in known.values()):
        several = len(spans) > 1
        known = {
            span: _checked(ports, span, kept.get(span), ports.executions.count(span) if several else count)
            for span in spans
        }
    sums = list[SendNumbers]()
    for span, each in known.items():
        kept[span], numbers = _followed(ports, each)
        sums.append(numbers)
    while len(kept) > _MOST_KEPT:
        kept.pop(next(iter(kept)), None)
    return sums


def _checked(ports: Ports, span: ExecutionSearch, known: _Kept | None, count: int) -> _Kept:
    if known is not None and known.count < count and known.newest_at:
        later = replace(span, since=known.newest_at)
        known = _with(known, [each for each in _all(ports, later) if each.id not in known.newest])
    if known is not None and known.count == count:
        return known
    return _with(_Kept(), list(_all(ports, span)))


def _with(kept: _Kept, more: Sequence[Execution]) -> _Kept:
    """Add executions, newest first. Ended ones are added up when they are followed."""
    if not more:
        return kept
    at = more[0].send_at
    newest = {each.id for each in more if each.send_at == at} | (kept.newest if at == kept.newest_at else set())
    ended = [each for each in more if _has_ended(each)]
    return _Kept(
        count=kept.count + len(more),
        ended=sum((_numbers(each, each.totals) for each in ended), kept.ended),
        open=(*kept.open, *(each.id for each in more if not _has_ended(each))),
        newest_at=at,
        newest=frozenset(newest),
    )


def _followed(ports: Ports, kept: _Kept) -> tuple[_Kept, SendNumbers]:
    """Read the executions that had not ended; return what is to be kept, and the sum of all."""
    if not kept.open:
        return kept, kept.ended
    found = [each for each in map(ports.executions.get, kept.open) if each is not None]
    ended = [each for each in found if _has_ended(each)]
    under_way = [each for each in found if not _has_ended(each)]
    total = sum((_numbers(each, each.totals) for each in ended), kept.ended)
    kept = replace(kept, ended=total, open=tuple(each.id for each in under_way))
    return kept, sum((_numbers(each, _totals_now(ports, each)) for each in under_way), total)


def _all(ports: Ports, wanted: ExecutionSearch) -> Iterator[Execution]:
    after = None
    while found := ports.executions.search(wanted, most=_AT_ONCE, after=after):
        yield from found
        after = (found[-1].send_at, found[-1].id)
        if len(found) < _AT_ONCE:
            return


def _has_ended(execution: Execution) -> bool:
    return execution.state.final and execution.cleaned


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
