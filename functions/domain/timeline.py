"""The phases of an execution and the instants at which they are due.

With the default lead time of 30 minutes: audience generation at T-30, test sending at T-25, the cancellation
window from T-22, push 1 at T-0, cleanup ten minutes after the last push. Other lead times scale the phases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from functions.domain.schedule import instant_of

CLEANUP_DELAY = timedelta(minutes=10)
SHORTEST_PREPARATION = timedelta(minutes=10)
"""Enough to build audiences, send tests, and leave people the shortest cancellation window."""
_TEST_SHARE = 3 / 25
"""Of the time from the first test push to T-0, the share that sending the tests may take."""
_MOST_WINDOW = 5 / 6
"""Of the lead time, the share that the cancellation window may take: the rest builds the audiences."""


class Phase(StrEnum):
    """The five phases, in order."""

    AUDIENCE_GENERATION = "audience_generation"
    TEST_SENDING = "test_sending"
    CANCELLATION_WINDOW = "cancellation_window"
    LIVE_EXECUTION = "live_execution"
    CLEANUP = "cleanup"


@dataclass(frozen=True, kw_only=True)
class PushTiming:
    """When a push of a sequence follows the one before it: after minutes, or at a wall-clock time."""

    delay_minutes: int = 0
    at: time | None = None


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The due instants of one execution, in UTC."""

    build_at: datetime
    test_at: datetime
    window_at: datetime
    send_at: datetime
    push_at: tuple[datetime, ...]
    finish_at: datetime

    def due(self, phase: Phase) -> datetime:
        """Return the instant at which a phase is due to start."""
        return {
            Phase.AUDIENCE_GENERATION: self.build_at,
            Phase.TEST_SENDING: self.test_at,
            Phase.CANCELLATION_WINDOW: self.window_at,
            Phase.LIVE_EXECUTION: self.send_at,
            Phase.CLEANUP: self.finish_at,
        }[phase]


def plan(
    *, send_at: datetime, lead: timedelta, window: timedelta, zone: ZoneInfo, timings: Sequence[PushTiming]
) -> Timeline:
    """Lay the phases out around a send instant; `window` is the time from the first test push to T-0."""
    window = min(window, lead * _MOST_WINDOW)
    push_at = [send_at]
    for timing in timings[1:]:
        push_at.append(_following(push_at[-1], timing, zone))
    return Timeline(
        build_at=send_at - lead,
        test_at=send_at - window,
        window_at=send_at - window + window * _TEST_SHARE,
        send_at=send_at,
        push_at=tuple(push_at),
        finish_at=push_at[-1] + CLEANUP_DELAY,
    )


def _following(previous: datetime, timing: PushTiming, zone: ZoneInfo) -> datetime:
    if timing.at is None:
        return previous + timedelta(minutes=timing.delay_minutes)
    day = previous.astimezone(zone).date()
    same_day = instant_of(datetime.combine(day, timing.at), zone)
    if same_day >= previous:
        return same_day
    return instant_of(datetime.combine(day + timedelta(days=1), timing.at), zone)
