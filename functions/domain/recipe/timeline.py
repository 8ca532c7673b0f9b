"""The phases of an execution and the instants at which they are due.

With the default lead time of 30 minutes: audience generation at T-30, test sending at T-25, the cancellation
window from T-22, push 1 at T-0, cleanup ten minutes after the last push. Other lead times scale the phases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from functions.domain.recipe.schedule import ClockPlan, instant_of, wall_clock

CLEANUP_DELAY = timedelta(minutes=10)
SHORTEST_PREPARATION = timedelta(minutes=10)
"""Enough to build audiences, send tests, and leave the shortest cancellation window."""
_TEST_SHARE = 3 / 25
"""The share of the time from the first test push to T-0 that sending the tests may take."""
_MOST_WINDOW = 5 / 6
"""The share of the lead time that the cancellation window may take. The rest is for building the audiences."""


class Phase(StrEnum):
    """The five phases, in order."""

    AUDIENCE_GENERATION = "audience_generation"
    TEST_SENDING = "test_sending"
    CANCELLATION_WINDOW = "cancellation_window"
    LIVE_EXECUTION = "live_execution"
    CLEANUP = "cleanup"


@dataclass(frozen=True, kw_only=True)
class PushTiming:
    """When a push follows the previous one: after some minutes, or at a wall-clock time."""

    delay_minutes: int = 0
    at: time | None = None


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The due instants of one execution, in UTC.

    `push_plan` places each push relative to the wall-clock time of T-0, so that the same push of the same sequence
    can be found in another week.
    """

    build_at: datetime
    test_at: datetime
    window_at: datetime
    send_at: datetime
    push_at: tuple[datetime, ...]
    push_plan: tuple[ClockPlan, ...]
    finish_at: datetime

    def due(self, phase: Phase) -> datetime:
        """Return the due start of a phase."""
        return {
            Phase.AUDIENCE_GENERATION: self.build_at,
            Phase.TEST_SENDING: self.test_at,
            Phase.CANCELLATION_WINDOW: self.window_at,
            Phase.LIVE_EXECUTION: self.send_at,
            Phase.CLEANUP: self.finish_at,
        }[phase]


def plan(
    *,
    send_at: datetime,
    lead: timedelta,
    window: timedelta,
    zone: ZoneInfo,
    timings: Sequence[PushTiming],
    clock: datetime | None = None,
) -> Timeline:
    """Plan the phases around a send instant. `window` is the time from the first test push to T-0.

    `clock` is the planned wall-clock time of T-0, if the zone's clocks skip it.
    """
    window = min(window, lead * _MOST_WINDOW)
    clock = clock or wall_clock(send_at, zone)
    push_at, push_plan = [send_at], [ClockPlan(clock=clock)]
    for timing in timings[1:]:
        clock = _following(clock, timing)
        if timing.at is None:
            step: timedelta | datetime = timedelta(minutes=timing.delay_minutes)
            push_at.append(push_at[-1] + timedelta(minutes=timing.delay_minutes))
        else:
            step = clock
            push_at.append(max(push_at[-1], instant_of(clock, zone)))
        push_plan.append(replace(push_plan[-1], steps=(*push_plan[-1].steps, step)))
    return Timeline(
        build_at=send_at - lead,
        test_at=send_at - window,
        window_at=send_at - window + window * _TEST_SHARE,
        send_at=send_at,
        push_at=tuple(push_at),
        push_plan=tuple(push_plan),
        finish_at=push_at[-1] + CLEANUP_DELAY,
    )


def _following(clock: datetime, timing: PushTiming) -> datetime:
    """Return the wall-clock time of a push that follows one planned for `clock`, regardless of clock changes."""
    if timing.at is None:
        return clock + timedelta(minutes=timing.delay_minutes)
    same_day = datetime.combine(clock.date(), timing.at)
    return same_day if same_day >= clock else same_day + timedelta(days=1)
