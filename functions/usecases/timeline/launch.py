"""Start an execution for the send that belongs to a scheduler's firing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import uuid4

from functions.domain.alerts.alert import malformed_recipe
from functions.domain.errors import BadRecipe, NotYet
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Finding, Severity, ViolationType, window_findings
from functions.domain.ids import execution_id
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import slot_for
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.alerting.alert import tell, tell_end
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.steps import Run, read_run, tasks_of
from functions.usecases.timeline.turn import too_many, wait

_CLOCK_SKEW = timedelta(minutes=1)
_LOOK_BACK = timedelta(hours=24)
"""How old a missed send may be and still be recorded."""
_MOST_MISSED = 20
"""So many missed sends of a recipe, the newest, are recorded as executions; those before are counted."""
_MOST_A_DAY = 100
_HOW = {
    Kind.SCHEDULED: "launched",
    Kind.MANUAL: "launched by hand",
    Kind.TEST: "launched as a test",
    Kind.ONE_OFF: "launched once, by hand",
}


def launch(ports: Ports, recipe_id: str, scheduled_at: datetime) -> Execution | None:
    """Start the execution of the send whose start is in the minute of `scheduled_at`; None: there is none.

    `scheduled_at` is what the scheduler meant, the same however often and however late it calls.
    """
    if scheduled_at > ports.clock.now() + _CLOCK_SKEW:
        raise NotYet("the launch", scheduled_at)
    document = ports.recipes.get(recipe_id)
    if document is None:
        return None
    try:
        recipe = read(document, default_id=recipe_id)
    except BadRecipe as error:
        tell(ports, malformed_recipe(recipe_id, str(error), ports.clock.now()), document)
        return None
    send_at = slot_for(recipe.schedule, scheduled_at)
    if send_at is None or not recipe.is_active or next(recipe.sends(send_at), None) != send_at:
        return None
    return start(ports, recipe, send_at)


def missing_sends(ports: Ports, recipe: Recipe, *, looked_at: datetime | None = None) -> Iterator[datetime]:
    """Yield the sends of a recipe whose start has passed, and that have no execution.

    Of the last 24 hours, or of the 24 hours before `looked_at` and all the time since. Where nothing says since when
    the recipe sends, as after an edit in the store, the 24 hours are those in which a late send may still start.
    """
    if not recipe.is_active:
        return
    now = ports.clock.now()
    lateness = timedelta(minutes=recipe.settings.max_lateness_minutes)
    look_back = lateness if recipe.first_send_at is None else _LOOK_BACK
    for send_at in recipe.sends((looked_at or now) - look_back):
        if send_at - recipe.schedule.lead >= now:
            return
        if ports.executions.get(execution_id(recipe.id, send_at)) is None:
            yield send_at


@dataclass(frozen=True, kw_only=True)
class Missing:
    """The sends of a recipe that nothing has started: each of `sends`, and as many as `more` before them.

    Those counted are between `since` and `until`; `holder` is the send whose execution carries their violation.
    """

    sends: tuple[datetime, ...] = ()
    more: int = 0
    since: datetime | None = None
    until: datetime | None = None
    holder: datetime | None = None

    @property
    def told_of_more(self) -> str:
        """How many are only counted, in a sentence."""
        return (
            f"{self.more:,} sends more were missed from {self.since:%Y-%m-%d %H:%M} "
            f"to {self.until:%Y-%m-%d %H:%M} UTC: nothing started them, and only the {_MOST_MISSED} newest are "
            "recorded one by one"
        )


def find_missing(ports: Ports, recipe: Recipe, accounted: datetime | None = None) -> Missing:
    """Return the sends of a recipe whose start has passed and that have no execution; it reads few executions.

    All of the last 24 hours, and of the time since `accounted`, up to when all sends were accounted for. Of those too
    late to start, only the newest are looked up; the others since `accounted` are counted, in one read.
    """
    if not recipe.is_active:
        return Missing()
    now, schedule = ports.clock.now(), recipe.schedule
    lateness = timedelta(minutes=recipe.settings.max_lateness_minutes)
    since = now - (lateness if recipe.first_send_at is None else _LOOK_BACK)
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
    """Start the sends that `find_missing` finds; one that is too late is recorded as missed."""
    missing = find_missing(ports, recipe, accounted)
    _count_more(ports, recipe, missing)
    for send_at in missing.sends:
        yield start(ports, recipe, send_at)


def record_missed(ports: Ports, recipe: Recipe, missing: Missing, why: str) -> None:
    """Record sends whose time has passed as missed and start none; `why` says what became of the recipe."""
    now = ports.clock.now()
    passed = [send_at for send_at in missing.sends if send_at <= now]
    _count_more(ports, recipe, missing)
    for send_at in passed:
        run = read_run(create(ports, recipe, send_at, Kind.SCHEDULED))
        message = f"the send was missed: nothing started it until {why}, {_late(run, now):.0f} minutes after its time"
        end(ports, run, Phase.LIVE_EXECUTION, State.EXPIRED, _missed(message, run, now))


def _count_more(ports: Ports, recipe: Recipe, missing: Missing) -> None:
    """Record how many missed sends are not recorded one by one, with the oldest that is."""
    if missing.more and missing.holder is not None:
        holder = create(ports, recipe, missing.holder, Kind.SCHEDULED)
        finding = Finding(
            type=ViolationType.MISSED,
            severity=Severity.CRITICAL,
            message=missing.told_of_more,
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


def start(ports: Ports, recipe: Recipe, send_at: datetime, kind: Kind = Kind.SCHEDULED, name: str = "") -> Execution:
    """Create the execution of a recipe and send instant with all of its tasks, or find it and its tasks there.

    A `name` tells it from others of the same instant that are not the same.
    """
    execution = create(ports, recipe, send_at, kind, name)
    return _begin(ports, read_run(execution)) if execution.state is State.LAUNCHED else execution


def create(ports: Ports, recipe: Recipe, send_at: datetime, kind: Kind, name: str = "") -> Execution:
    """Create the execution of a recipe and send instant, or find it there; it has no tasks yet."""
    fresh = Execution(
        id=execution_id(recipe.id, send_at, name or ("" if kind is Kind.SCHEDULED else kind)),
        kind=kind,
        recipe_id=recipe.id,
        recipe=recipe.document(),
        send_at=send_at,
        created_at=ports.clock.now(),
        claim=uuid4().hex,
    )
    created = ports.executions.create(fresh)
    execution = ports.executions.get(fresh.id) or fresh
    if created:
        message = f"{_HOW[kind]} for the send at {send_at:%Y-%m-%d %H:%M} UTC; pushes: {len(recipe.pushes)}"
        note(ports, execution.id, Phase.AUDIENCE_GENERATION, message)
    return execution


def _begin(ports: Ports, run: Run) -> Execution:
    """Judge an execution's start and enqueue its tasks; doing it again changes nothing."""
    now, execution, limits = ports.clock.now(), run.execution, ports.policy.limits
    if run.too_late(execution.send_at, now):
        return expire(ports, run)
    barred = bar(ports, run)
    if barred is not None and barred.ends:
        return block(ports, run, Phase.AUDIENCE_GENERATION, barred)
    if barred is not None:
        execution = wait(ports, run, barred)
    window = execution.send_at - max(run.timeline.test_at, now)
    if execution.kind in (Kind.SCHEDULED, Kind.MANUAL):
        for finding in window_findings(run.recipe, window, limits):
            breach(ports, execution, Phase.AUDIENCE_GENERATION, finding)
    for task in tasks_of(run):
        ports.tasks.add(task)
    return execution


def bar(ports: Ports, run: Run) -> Finding | None:
    """Return what keeps an execution from going on beside those that were created before it, None for nothing.

    Only those count, so that of several at one instant exactly the excess is barred; asking again later never bars
    what was let through. A finding that does not end the execution has it wait its turn.
    """
    execution = run.execution
    earlier = [
        other for other in ports.executions.unfinished() if not other.state.final and other.created_before(execution)
    ]
    rival = next((other for other in earlier if rivals(other, execution)), None)
    if rival is not None:
        return _another(rival)
    sent = send_of_that_day(ports, run)
    return too_many(ports, run, earlier) if sent is None else _sent_that_day(run, sent)


def send_of_that_day(ports: Ports, run: Run) -> Execution | None:
    """Return the scheduled execution that has the day of this one, in the recipe's zone, to itself."""
    execution, schedule = run.execution, run.recipe.schedule
    if execution.kind is not Kind.SCHEDULED or not schedule.by_day:
        return None
    since, until = schedule.day_bounds(schedule.day_of(execution.send_at))
    wanted = ExecutionSearch(recipe_id=execution.recipe_id, since=since, until=until)
    for other in ports.executions.search(wanted, most=_MOST_A_DAY):
        may_send = other.went_live or not other.state.final
        if other.kind is Kind.SCHEDULED and may_send and other.created_before(execution):
            return other
    return None


def _sent_that_day(run: Run, other: Execution) -> Finding:
    day = run.recipe.schedule.day_of(run.execution.send_at)
    return Finding(
        type=ViolationType.SENT_THAT_DAY,
        severity=Severity.CRITICAL,
        message=f"the recipe's send of {day} is {other.id}, and it sends once a day",
        action="blocked",
        data={"executionId": other.id},
    )


def rivals(one: Execution, other: Execution) -> bool:
    """Say whether two executions of a recipe would send its sequence twice: one of them was started by hand.

    Two scheduled ones are two sends that somebody planned, and a test reaches the test users only.
    """
    kinds = {one.kind, other.kind}
    return one.recipe_id == other.recipe_id and Kind.MANUAL in kinds and Kind.TEST not in kinds


def _another(rival: Execution) -> Finding:
    return Finding(
        type=ViolationType.ANOTHER_UNDER_WAY,
        severity=Severity.CRITICAL,
        message=f"execution {rival.id} of the same recipe is under way: its users would get the sequence twice",
        action="blocked",
        data={"underWay": rival.id},
    )


def expire(ports: Ports, run: Run) -> Execution:
    """End an execution whose live phase would start too late: skipping beats a stale send."""
    now = ports.clock.now()
    late = (now - run.execution.send_at) / timedelta(minutes=1)
    allowed = run.recipe.settings.max_lateness_minutes
    missed = run.too_late(run.execution.send_at, run.execution.created_at)
    told = f"{late:.0f} minutes after its send time, {allowed} are allowed (settings.maxLatenessMinutes)"
    waited = run.execution.waiting
    told += f"; it waited its turn from {waited.since:%H:%M} UTC on" if waited else ""
    finding = Finding(
        type=ViolationType.MISSED if missed else ViolationType.TOO_LATE,
        severity=Severity.CRITICAL,
        message=f"the send was missed: nothing started it until {told}" if missed else told,
        action="expired",
        data={"minutesLate": round(late, 1)},
    )
    return end(ports, run, Phase.LIVE_EXECUTION, State.EXPIRED, finding)


def block(ports: Ports, run: Run, phase: Phase, finding: Finding) -> Execution:
    """End an execution before T-0 because a safeguard was breached."""
    return end(ports, run, phase, State.BLOCKED, finding)


def end(ports: Ports, run: Run, phase: Phase, state: State, finding: Finding, *, subject: str = "") -> Execution:
    """Record a violation and move to the final state that it leads to, unless the execution has ended meanwhile."""
    now = ports.clock.now()
    breach(ports, run.execution, phase, finding, subject)

    def change(execution: Execution) -> Execution:
        return execution if execution.state.final else execution.to(state, now, finding.message)

    ended = ports.executions.change(run.execution.id, change)
    tell_end(ports, ended)
    return ended
