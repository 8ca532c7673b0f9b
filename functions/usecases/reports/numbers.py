"""The users of an execution by outcome, in numbers that add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import Tally


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Users by outcome: audienceSize = sum(excluded) + sent + failed + unknown + notReached."""

    audience_size: int
    sent: int
    failed: int
    unknown: int
    lost: int
    """The unknown outcomes whose worker ended between a request and its answer."""
    excluded: Mapping[str, int]
    not_reached: int


@dataclass(frozen=True, kw_only=True)
class PushNumbers:
    """One push of the sequence, with its users by outcome."""

    order: int
    audience: str
    layer: int | None
    due_at: datetime | None
    audience_size: int
    test_sent: int
    under_way_at_stop: int
    excluded: Mapping[str, int]
    sent: int
    failed: int
    unknown: int
    not_reached: int


@dataclass(frozen=True, kw_only=True)
class AllTotals:
    """The totals of all pushes, in messages: a user counts once for each push. `people` counts each user once."""

    people: int | None
    people_reached: int | None
    audience_size: int
    test_sent: int
    excluded: Mapping[str, int]
    sent: int
    failed: int
    unknown: int
    not_reached: int


def totals_of(tally: Tally) -> Totals:
    """Return a tally with all of its parts."""
    return Totals(
        audience_size=tally.audience_size,
        sent=tally.sent,
        failed=tally.failed,
        unknown=tally.unknown,
        lost=tally.lost,
        excluded=tally.excluded,
        not_reached=tally.not_reached,
    )


def all_totals(execution: Execution, pushes: Sequence[PushNumbers], total: Tally) -> AllTotals:
    """Return the totals of an execution's pushes; `total` is the sum of their tallies."""
    return AllTotals(
        people=execution.people,
        people_reached=execution.people_reached,
        audience_size=total.audience_size,
        test_sent=sum(push.test_sent for push in pushes),
        excluded=total.excluded,
        sent=total.sent,
        failed=total.failed,
        unknown=total.unknown,
        not_reached=total.not_reached,
    )
