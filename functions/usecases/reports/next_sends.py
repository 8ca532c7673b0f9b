"""The next sends, those of a campaign on one day together."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, groupby, islice, takewhile
from zoneinfo import ZoneInfo

from functions.domain.recipe.plan import Plan
from functions.ports import Ports
from functions.usecases.recipes.launched_sends import LaunchedSends, launched_sends
from functions.usecases.reports.upcoming import HORIZON, Upcoming

_MOST_A_DAY = 1_440
"""A cron expression may name every minute."""


@dataclass(frozen=True, kw_only=True)
class DaySends:
    """The sends of a campaign on a day of its zone: the first one and their number. One that is off stands alone."""

    first: Upcoming
    day: date
    today: date
    """The current day in its zone."""
    sends: int = 1


def next_by_day(ports: Ports, *, most: int) -> list[DaySends]:
    """Return the next sends that are not under way, at most `most` groups, soonest first.

    As in `next_sends`, only the first plans are read.
    """
    now = ports.clock.now()
    launched = launched_sends(ports, now)
    read_at_once = most + len(launched)
    plans, after = list[Plan](), None
    while True:
        page = ports.recipes.plans(most=read_at_once, after=after)
        plans += page
        is_last = len(page) < read_at_once or page[-1].next_send_at >= now + HORIZON
        until = now + HORIZON if is_last else page[-1].next_send_at
        found = [group for plan in plans for group in islice(_groups(plan, now, until, launched), most)]
        if is_last or len(found) >= most:
            return sorted(found, key=lambda group: (group.first.at, group.first.recipe_id))[:most]
        after = (page[-1].next_send_at, page[-1].recipe_id)


def _groups(plan: Plan, now: datetime, until: datetime, launched: LaunchedSends) -> Iterator[DaySends]:
    """Yield the groups of a plan whose first send is not after `until`."""
    zone = ZoneInfo(plan.zone)
    today = now.astimezone(zone).date()
    for day, instants in groupby(_near(plan, now), key=lambda at: at.astimezone(zone).date()):
        first = next(instants)
        if first > until:
            return
        sends = [
            Upcoming(at, plan.recipe_id, plan.name, plan.zone, launched.get((plan.recipe_id, at)))
            for at in chain([first], islice(instants, _MOST_A_DAY))
        ]
        yield from (DaySends(first=send, day=day, today=today) for send in sends if send.is_off)
        ahead = [send for send in sends if send.execution is None]
        if ahead:
            yield DaySends(first=ahead[0], day=day, today=today, sends=len(ahead))


def _near(plan: Plan, now: datetime) -> Iterator[datetime]:
    return takewhile(lambda at: at < now + HORIZON, plan.sends(now))
