"""The list of sends: found by campaign, state, kind and time, in order of time or of size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nlargest

from functions.domain.execution.execution import Execution, Kind, State
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, Place
from functions.usecases.reports.executions import ExecutionSummary, summary

_MOST_LOOKED_AT = 300
"""How many sends one page looks at. Kinds are rare, and no database has an index for them."""
_AT_ONCE = 100
MOST_CAMPAIGNS = 10


@dataclass(frozen=True, kw_only=True)
class SendSearch:
    """A search for sends: of one of at most ten campaigns, or of any if `recipe_ids` is None."""

    recipe_ids: Sequence[str] | None = None
    state: State | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def stored(self) -> ExecutionSearch:
        """The search as stores know it."""
        return ExecutionSearch(state=self.state, since=self.since, until=self.until)


@dataclass(frozen=True, kw_only=True)
class FoundSends:
    """A page of sends. The next page begins after the place `next`; None: there is none.

    `total` is None for a kind, of which no database keeps a count.
    """

    sends: Sequence[ExecutionSummary]
    next: Place | None
    total: int | None


def find_sends(ports: Ports, wanted: SendSearch, *, most: int, after: Place | None = None) -> FoundSends:
    """Return a page of sends, newest first. For a kind, a page may be short although there are older ones."""
    found, looked, now = list[Execution](), 0, ports.clock.now()
    while len(found) <= most and looked < _MOST_LOOKED_AT:
        page = _page(ports, wanted, after, most + 1 if wanted.kind is None else _AT_ONCE)
        looked += len(page)
        found += [each for each in page if wanted.kind in (None, each.kind)]
        after = _place(page[-1]) if page else None
        if wanted.kind is None or len(page) < _AT_ONCE:
            after = None
            break
    following = _place(found[most - 1]) if len(found) > most else after
    return FoundSends(
        sends=[summary(each, now) for each in found[:most]], next=following, total=_total(ports, wanted)
    )


def largest_sends(ports: Ports, wanted: SendSearch, *, most: int) -> tuple[FoundSends, bool]:
    """Return the sends with the most people, and whether there were more than the newest 300, which were compared."""
    now = ports.clock.now()
    page = _page(ports, wanted, None, _MOST_LOOKED_AT + 1)
    found = [each for each in page[:_MOST_LOOKED_AT] if wanted.kind in (None, each.kind)]
    sends = [summary(each, now) for each in nlargest(most, found, key=_size)]
    return FoundSends(sends=sends, next=None, total=_total(ports, wanted)), len(page) > _MOST_LOOKED_AT


def all_sends(ports: Ports, wanted: SendSearch, *, most: int) -> Iterator[ExecutionSummary]:
    """Yield sends, newest first, at most `most`."""
    now, after = ports.clock.now(), None
    while most > 0 and (page := _page(ports, wanted, after, _AT_ONCE)):
        for each in page[:most]:
            if wanted.kind in (None, each.kind):
                yield summary(each, now)
        most, after = most - len(page), _place(page[-1])


def _page(ports: Ports, wanted: SendSearch, after: Place | None, most: int) -> Sequence[Execution]:
    if wanted.recipe_ids is None:
        return ports.executions.search(wanted.stored, most=most, after=after)
    each = (replace(wanted.stored, recipe_id=recipe_id) for recipe_id in wanted.recipe_ids[:MOST_CAMPAIGNS])
    found = [send for one in each for send in ports.executions.search(one, most=most, after=after)]
    return sorted(found, key=_place, reverse=True)[:most]


def _total(ports: Ports, wanted: SendSearch) -> int | None:
    if wanted.kind is not None:
        return None
    if wanted.recipe_ids is None:
        return ports.executions.count(wanted.stored)
    each = (replace(wanted.stored, recipe_id=recipe_id) for recipe_id in wanted.recipe_ids[:MOST_CAMPAIGNS])
    return sum(map(ports.executions.count, each))


def _place(execution: Execution) -> Place:
    return execution.send_at, execution.id


def _size(execution: Execution) -> int:
    if execution.people is not None:
        return execution.people
    return execution.totals.audience_size if execution.totals else 0
