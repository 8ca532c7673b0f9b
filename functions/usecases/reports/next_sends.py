"""The next sends, those of a campaign on one day together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from functions.ports import Ports
from functions.usecases.reports.upcoming import Upcoming, upcoming

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class DaySends:
    """The sends of a campaign on a day of its zone: the first one and their number. One that is off stands alone."""

    first: Upcoming
    day: date
    today: date
    """The current day in its zone."""
    sends: int = 1


def next_by_day(ports: Ports, *, most: int) -> Sequence[DaySends]:
    """Return the next sends that are not under way, at most `most` groups, soonest first."""
    now = ports.clock.now()
    found = dict[tuple[object, ...], DaySends]()
    for send in upcoming(ports):
        if send.execution is not None and not send.is_off:
            continue
        if len(found) == most and send.at >= list(found.values())[-1].first.at + _DAY:
            break
        zone = ZoneInfo(send.zone)
        day = send.at.astimezone(zone).date()
        key = (send.recipe_id, send.at if send.is_off else day)
        if key in found:
            found[key] = replace(found[key], sends=found[key].sends + 1)
        elif len(found) < most:
            found[key] = DaySends(first=send, day=day, today=now.astimezone(zone).date())
    return list(found.values())
