"""Find missed sends: sends of a recipe without an execution. Start those that are not too late, record the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.ids import execution_id
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.timeline.ending import end
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.launch import create, start
from functions.usecases.timeline.steps import Run, read_run

LOOK_BACK = timedelta(hours=24)
"""The greatest age of a missed send that is still recorded."""
_MOST_MISSED = 20
"""This many missed sends of a recipe, the newest, become executions. Earlier ones are only counted."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """The missed sends of a recipe: `sends`, and the number `more` of earlier ones.

    The counted ones are between `since` and `until`. The violation about them belongs to the execution of `holder`.
    """

    sends: tuple[datetime, ...] = ()
    more: int = 0
    since: datetime | None = None
    until: datetime | None = None
    holder: datetime | None = None

    @property
    def sentence_of_more(self) -> str:
        """A sentence with the number of counted sends."""
        return (
            f"{self.more:,} more sends were missed from {self.since:%Y-%m-%d %H:%M} "
            f"to {self.until:%Y-%m-%d %H:%M} UTC: nothing started them, and only the {_MOST_MISSED} newest are "
            "recorded one by one"
        )


def find_missing(ports: Ports, recipe: Recipe, accounted: datetime | None = None) -> Missing:
    """Return the sends of a recipe whose start has passed and that have no execution.

    It covers the last 24 hours, and the time since `accounted`, when all earlier sends were accounted for. Of the
    sends that are too late to start, it looks up only the newest and counts the others since `accounted`, in one
    read.
    """
    if not recipe.is_active:
        return Missing()
    now, schedule = ports.clock.now(), recipe.schedule
    lateness = timedelta(minutes=recipe.settings.max_lateness_minutes)
    since = now - (lateness if recipe.first_send_at is None else LOOK_BACK)
    if accounted is not None and recipe.first_send_at is not None:
        since = min(since, accounted)
    due = list(takewhile(lambda send_at: send_at - schedule.lead < now, recipe.sends(since)))
    late = [send_at for send_at in due if send_at + lateness < now]
    before = [at for at in late[:-_MOST_MISSED] if accounted is not None and at - schedule.lead >= accounted]
    looked_up = due[max(0, len(late) - _MOST_MISSED) :]
    sends = tuple(at for at in looked_up if ports.executions.get(execution_id(recipe.id, at)) is None)
    if not before:
        return Missing(sends=sends)
    wanted = ExecutionSearch(recipe_id=recipe.id, since=before[0], until=before[-1] + timedelta(seconds=1))
    more = max(0, len(before) - ports.executions.count(wanted))
    return Missing(sends=sends, more=more, since=before[0], until=before[-1], holder=looked_up[0])


def start_due(ports: Ports, recipe: Recipe, accounted: datetime | None = None) -> Iterator[Execution]:
    """Start the sends that `find_missing` finds. A send that is too late is recorded as missed."""
    missing = find_missing(ports, recipe, accounted)
    _count_more(ports, recipe, missing)
    for send_at in missing.sends:
        yield start(ports, recipe, send_at)


def record_missed(ports: Ports, recipe: Recipe, missing: Missing, why: str) -> None:
    """Record past sends as missed, and start none. `why` is the change of the recipe."""
    now = ports.clock.now()
    passed = [send_at for send_at in missing.sends if send_at <= now]
    _count_more(ports, recipe, missing)
    for send_at in passed:
        run = read_run(create(ports, recipe, send_at, Kind.SCHEDULED))
        message = f"the send was missed: nothing started it until {why}, {_late(run, now):.0f} minutes after its time"
        end(ports, run, Phase.LIVE_EXECUTION, State.EXPIRED, _missed(message, run, now))


def _count_more(ports: Ports, recipe: Recipe, missing: Missing) -> None:
    """Record the number of sends that are only counted, in the oldest recorded one."""
    if missing.more and missing.holder is not None:
        holder = create(ports, recipe, missing.holder, Kind.SCHEDULED)
        finding = Finding(
            type=ViolationType.MISSED,
            severity=Severity.CRITICAL,
            message=missing.sentence_of_more,
            action="counted",
            data={"sends": missing.more},
        )
        breach(ports, holder, Phase.LIVE_EXECUTION, finding, subject="more")


def _late(run: Run, now: datetime) -> float:
    return (now - run.execution.send_at) / timedelta(minutes=1)


def _missed(message: str, run: Run, now: datetime) -> Finding:
    return Finding(
        type=ViolationType.MISSED,
        severity=Severity.CRITICAL,
        message=message,
        action="expired",
        data={"minutesLate": round(_late(run, now), 1)},
    )
