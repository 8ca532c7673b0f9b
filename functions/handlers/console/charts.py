"""The geometry of charts, in percent of their width. The templates draw them, and repeat them in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.recipe.timeline import CLEANUP_DELAY, Phase
from functions.usecases.reports.execution import ExecutionReport, PhaseTimes
from functions.usecases.reports.numbers import AllTotals, PushNumbers, Totals

_BEFORE_ZERO = 60.0
"""The share of the width before T-0. What comes after it may take days."""
_THINNEST = 0.8


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar that begins at `x` and is `width` wide."""

    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The scale of an execution: linear before T-0, and linear after it."""

    start: datetime
    zero: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Return the position of an instant. Instants outside are at the edges."""
        if at <= self.zero:
            whole = max(self.zero - self.start, timedelta(seconds=1))
            return round(max(0.0, (at - self.start) / whole) * _BEFORE_ZERO, 2)
        whole = max(self.end - self.zero, timedelta(seconds=1))
        return round(_BEFORE_ZERO + min(1.0, (at - self.zero) / whole) * (100 - _BEFORE_ZERO), 2)

    def bar(self, start: datetime, end: datetime) -> Bar:
        """Return the bar between two instants, wide enough to be visible."""
        x = min(self.x(start), 100 - _THINNEST)
        return Bar(x=x, width=round(max(self.x(end) - x, _THINNEST), 2))


@dataclass(frozen=True, kw_only=True)
class PhaseRow:
    """A phase: the plan and the actual times."""

    phase: str
    planned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    planned: Bar
    real: Bar | None

    @property
    def late_seconds(self) -> float:
        """How much later than planned the phase began; 0 if it has not begun."""
        return 0.0 if self.started_at is None else (self.started_at - self.planned_at).total_seconds()


@dataclass(frozen=True, kw_only=True)
class TimelineChart:
    """The phases of an execution, its pushes, and the current position."""

    rows: Sequence[PhaseRow]
    pushes: Sequence[float]
    zero: float
    now: float | None


def timeline_chart(report: ExecutionReport, now: datetime) -> TimelineChart | None:
    """Return the chart of an execution's report; None if its recipe cannot be read, so there is no plan."""
    planned = {entry.phase: entry.planned_at for entry in report.timeline if entry.planned_at is not None}
    if len(planned) < len(Phase):
        return None
    times = [at for entry in report.timeline for at in (entry.started_at, entry.ended_at)]
    finish = planned[Phase.CLEANUP] + CLEANUP_DELAY / 5
    scale = Scale(
        start=planned[Phase.AUDIENCE_GENERATION],
        zero=planned[Phase.LIVE_EXECUTION],
        end=max([finish, *(at for at in times if at is not None)]),
    )
    ends = dict(zip(list(Phase), [*list(planned.values())[1:], finish], strict=True))
    rows = [_row(scale, entry, planned[entry.phase], ends[entry.phase], now) for entry in report.timeline]
    return TimelineChart(
        rows=rows,
        pushes=[scale.x(push.due_at) for push in report.pushes if push.due_at is not None],
        zero=scale.x(scale.zero),
        now=scale.x(now) if scale.start <= now <= scale.end else None,
    )


def _row(scale: Scale, entry: PhaseTimes, planned: datetime, planned_end: datetime, now: datetime) -> PhaseRow:
    started, ended = entry.started_at, entry.ended_at
    return PhaseRow(
        phase=entry.phase,
        planned_at=planned,
        started_at=started,
        ended_at=ended,
        planned=scale.bar(planned, planned_end),
        real=scale.bar(started, max(started, ended or now)) if started else None,
    )


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of an audience in a bar: its outcome, number of users, and position."""

    name: str
    count: int
    x: float
    width: float


def slices(numbers: PushNumbers | Totals | AllTotals) -> list[Slice]:
    """Return the parts of an audience side by side. They sum to the whole."""
    size = numbers.audience_size
    counts = {
        "sent": numbers.sent,
        "failed": numbers.failed,
        "unknown": numbers.unknown,
        "excluded": sum(numbers.excluded.values()),
        "waiting": numbers.not_reached,
    }
    found, x = [], 0.0
    for name, count in counts.items():
        width = 100 * count / size if size else 0.0
        if count:
            found.append(Slice(name=name, count=count, x=round(x, 2), width=round(width, 2)))
        x += width
    return found


@dataclass(frozen=True, kw_only=True)
class Sparkline:
    """Values over time as a line in an area of 100 by 24."""

    points: str
    last_x: float
    last_y: float


def sparkline(values: Sequence[int]) -> Sparkline | None:
    """Return the line; None for fewer than two values. The scale begins at zero."""
    if len(values) < 2:
        return None
    most = max([*values, 1])
    placed = [(round(100 * n / (len(values) - 1), 1), round(22 - 20 * v / most, 1)) for n, v in enumerate(values)]
    return Sparkline(points=" ".join(f"{x},{y}" for x, y in placed), last_x=placed[-1][0], last_y=placed[-1][1])


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a chart, in percent of its area: its value, and the top and height of each part, by name."""

    value: int
    x: float
    parts: Sequence[tuple[str, float, float]]


COLUMN_WIDTH = 9.0


def columns(values: Sequence[Mapping[str, int]]) -> list[Column]:
    """Return a column for each of the values, the parts of which are stacked. The scale begins at zero."""
    most, step = max([*(sum(each.values()) for each in values), 1]), 100 / max(len(values), 1)
    return [_column(each, most, step * number + (step - COLUMN_WIDTH) / 2) for number, each in enumerate(values)]


def _column(parts: Mapping[str, int], most: int, x: float) -> Column:
    found, top = [], 100.0
    for name, value in parts.items():
        height = max(100 * value / most, 1.5) if value else 0.0
        top -= height
        if value:
            found.append((name, round(max(top, 0.0), 2), round(height, 2)))
    return Column(value=sum(parts.values()), x=round(x, 2), parts=found)
