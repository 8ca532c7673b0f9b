"""Every five minutes: correct schedules, executions and tasks that differ from the recipes, and report them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from functions.domain.alerts.alert import drift as drift_alert
from functions.domain.errors import BadRecipe, NotFound, NotPossible, Transient, Unreadable, for_log
from functions.domain.execution.execution import Execution, State
from functions.domain.recipe.defaults import in_force
from functions.domain.recipe.plan import Plan, plan_of
from functions.domain.recipe.read import Recipe, read
from functions.ports import Ports
from functions.ports.queue import ScheduledJob, Task
from functions.usecases.alerting.alert import enqueue, raise_alert
from functions.usecases.recipes.save import LAUNCH, renew_segments, wanted_job
from functions.usecases.recipes.segments import used_in
from functions.usecases.timeline.check_audit import check_audit
from functions.usecases.timeline.concurrent import bar
from functions.usecases.timeline.control import cancel_all
from functions.usecases.timeline.end_unreadable import fail_unreadable
from functions.usecases.timeline.missed import find_missing, start_due
from functions.usecases.timeline.orphans import why_orphaned
from functions.usecases.timeline.purge import purge
from functions.usecases.timeline.steps import Run, cleanup_task, read_run, tasks_of

GRACE = timedelta(minutes=5)
"""How long a step may be overdue before its task counts as lost. The same holds for each task that replaces it."""
_ALERT_GRACE = timedelta(minutes=15)
"""The queue's longest wait between two attempts to deliver an alert is ten minutes."""

_WAITING_FOR = {
    State.LAUNCHED: ("build_audience", "checkpoint"),
    State.AUDIENCE_READY: ("send_test", "checkpoint"),
    State.TESTED: ("checkpoint",),
    State.LIVE: ("send_push",),
}


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The differences that a run found and corrected, as sentences."""

    schedules: tuple[str, ...]
    cancelled: tuple[str, ...]
    malformed: tuple[str, ...]
    renewed: tuple[str, ...]
    launched: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All differences."""
        return tuple(sentence for kind in astuple(self) for sentence in kind)


def reconcile(ports: Ports) -> Drift:
    """Correct schedules, start or expire missed sends, replace lost tasks, and report each difference.

    For example, a send at 18:30 whose launch at 18:00 was lost is launched at 18:05, and the drift has the sentence
    `the start of daily_20260504T183000Z was missed: it is launched now`.
    """
    began_at, accounted = ports.clock.now(), ports.executions.accounted_until()
    jobs, plans = _launch_jobs(ports), {plan.recipe_id: plan for plan in ports.recipes.plans()}
    recipes, malformed = _read_recipes(ports)
    plan_sends(ports, recipes, plans)
    drift = Drift(
        schedules=tuple(_match_schedules(ports, recipes, jobs)),
        cancelled=tuple(_cancel_orphans(ports)),
        malformed=tuple(malformed),
        renewed=tuple(_renew_tasks(ports)),
        launched=tuple(start_missing_sends(ports, recipes, accounted)),
    )
    if drift.sentences:
        raise_alert(ports, drift_alert(drift.sentences, ports.clock.now()), None)
    ports.executions.account_until(began_at)
    _enqueue_waiting_alerts(ports)
    _renew_segments(ports, recipes)  # after what sends depend on: until then they use the copies that they have
    check_audit(ports)
    purge(ports)
    return drift


def _renew_segments(ports: Ports, recipes: Mapping[str, Recipe]) -> None:
    """Give recipes the conditions of their segments, where the change of a segment stopped half way."""
    for recipe in recipes.values():
        if used_in(recipe.document()):
            with suppress(BadRecipe, NotFound, NotPossible):  # it keeps the conditions that it has
                renew_segments(ports, recipe.id, by="reconcile")


def _enqueue_waiting_alerts(ports: Ports) -> None:
    """Enqueue again the alerts that have waited longer than the queue waits between two attempts."""
    now = ports.clock.now()
    for outgoing in ports.alert_store.waiting(now - _ALERT_GRACE):
        enqueue(ports, outgoing, generation=(now - outgoing.at) // GRACE, at=now)


def _read_recipes(ports: Ports) -> tuple[dict[str, Recipe], list[str]]:
    recipes, malformed = {}, []
    for document in ports.recipes.all():
        try:
            recipe = in_force(read(document), ports.workspace.pushes.defaults)
            recipes[recipe.id] = recipe
        except BadRecipe as error:
            malformed.append(f"recipe {document.get('id')!r} is malformed and will not run: {for_log(error)}")
    return recipes, malformed


def _launch_jobs(ports: Ports) -> Mapping[str, ScheduledJob]:
    """Return the scheduler jobs that launch recipes, by name.

    Read them before the recipes. Otherwise the job of a recipe that is saved in between would count as left over.
    """
    return {job.name: job for job in ports.schedules.all() if job.function == LAUNCH}


def plan_sends(ports: Ports, recipes: Mapping[str, Recipe], plans: Mapping[str, Plan]) -> None:
    """Update the plans of recipes whose next send has passed, or which were edited by hand."""
    now = ports.clock.now()
    wanted = {recipe_id: plan_of(recipe, now) for recipe_id, recipe in recipes.items()}
    for recipe_id in sorted(plans.keys() | wanted.keys()):
        if plans.get(recipe_id) != wanted.get(recipe_id):
            ports.recipes.plan(recipe_id, now)


def _match_schedules(
    ports: Ports, recipes: Mapping[str, Recipe], present_jobs: Mapping[str, ScheduledJob]
) -> Iterator[str]:
    """Create, replace and delete jobs, so that each active recipe has one and no other job is left."""
    for name, present, wanted in _schedule_differences(ports, recipes, present_jobs):
        if wanted is None:
            ports.schedules.delete(name)
            yield f"deleted the schedule {name}: no active recipe has it"
        else:
            ports.schedules.put(wanted)
            yield f"{'fixed' if present else 'created'} the schedule {name}: {wanted.cron} in {wanted.zone}"


def _schedule_differences(
    ports: Ports, recipes: Mapping[str, Recipe], present: Mapping[str, ScheduledJob]
) -> Iterator[tuple[str, ScheduledJob | None, ScheduledJob | None]]:
    """Yield each job that differs: its name, the present job and the wanted job. None means no job."""
    jobs = (wanted_job(ports, recipe) for recipe in recipes.values())
    wanted = {job.name: job for job in jobs if job is not None}
    for name in sorted(present.keys() - wanted.keys()):
        yield name, present[name], None
    for name, job in wanted.items():
        if present.get(name) != job:
            yield name, present.get(name), job


def find_drift(ports: Ports) -> list[str]:
    """Return what `reconcile` would correct, without changes: schedules, sends, and unreadable recipes.

    It reads every recipe.
    """
    jobs, accounted = _launch_jobs(ports), ports.executions.accounted_until()
    recipes, found = _read_recipes(ports)
    for name, present, wanted in _schedule_differences(ports, recipes, jobs):
        if wanted is None:
            found.append(f"the schedule {name} is there, and no active recipe has it")
        elif present is None:
            found.append(f"the schedule {name} is missing: {wanted.cron} in {wanted.zone}")
        else:
            state = f"{present.cron} in {present.zone}{'' if present.enabled else ', paused'}"
            found.append(f"the schedule {name} is {state}, and should be {wanted.cron} in {wanted.zone}")
    for recipe in recipes.values():
        missing = find_missing(ports, recipe, accounted)
        if missing.more:
            found.append(f"{recipe.id}: {missing.sentence_of_more}")
        for send_at in missing.sends:
            found.append(f"the send of {recipe.id} at {send_at:%Y-%m-%d %H:%M} UTC was not started")
    return found


def _cancel_orphans(ports: Ports) -> Iterator[str]:
    """Cancel executions before T-0 whose recipe was paused or deleted, perhaps by hand in the database.

    Each recipe is read after its execution was found. So a recipe that was resumed meanwhile keeps its execution.
    """
    for execution in ports.executions.unfinished():
        if execution.state.final or execution.state is State.LIVE:
            continue
        why = why_orphaned(ports, execution)
        if why is not None and cancel_all(ports, [execution], why):
            yield f"cancelled {execution.id}: {why}"


def start_missing_sends(ports: Ports, recipes: Mapping[str, Recipe], accounted: datetime | None) -> Iterator[str]:
    """Start the sends that have no execution although their start has passed."""
    for recipe in recipes.values():
        for execution in start_due(ports, recipe, accounted):
            yield f"the start of {execution.id} was missed: it is {execution.state.value} now"


def _renew_tasks(ports: Ports) -> Iterator[str]:
    """Replace the tasks of overdue steps, at most once in each period of `GRACE`."""
    now = ports.clock.now()
    for execution in ports.executions.unfinished():
        try:
            yield from _renew_tasks_of(ports, execution, now)
        except Unreadable as error:
            yield from _end_unreadable(ports, execution.id, error)


def _renew_tasks_of(ports: Ports, execution: Execution, now: datetime) -> Iterator[str]:
    run = read_run(execution)
    if execution.waiting:
        _ask_for_turn(ports, run, now)
        return
    for task in tasks_of(run):
        if task_lost(ports, run, task, now) and ports.tasks.add(_again(run, task, now)):
            yield f"{execution.id} is {execution.state.value} and overdue: created its task {task.function} again"


def _ask_for_turn(ports: Ports, run: Run, now: datetime) -> None:
    """Replace all tasks of an execution whose wait is over, in case they are lost.

    Usually the task that builds the audiences asks for its turn every minute, so this is not reported.
    """
    barred = bar(ports, run)
    if barred is not None and not barred.ends:
        return
    for task in tasks_of(run):
        if task_lost(ports, run, task, now):
            ports.tasks.add(_again(run, task, now))


def _end_unreadable(ports: Ports, execution_id: str, error: Unreadable) -> Iterator[str]:
    """End an execution that no step can read, and have `finish` clean up after it, at most once in each `GRACE`.

    If the store refuses it now, the next run does it.
    """
    now = ports.clock.now()
    try:
        fail_unreadable(ports, execution_id, str(error))
        asked = ports.tasks.add(cleanup_task(execution_id, int(now.timestamp() // GRACE.total_seconds()), now))
    except Transient:
        return
    if asked:
        yield f"ended an execution: {error}"


def _again(run: Run, lost: Task, now: datetime) -> Task:
    generation = (now - lost.at) // GRACE
    step = (lost.function, lost.body.get("push"))
    return next(task for task in tasks_of(run, generation) if (task.function, task.body.get("push")) == step)


def task_lost(ports: Ports, run: Run, task: Task, now: datetime) -> bool:
    """Return whether a step is lost: it is due for longer than `GRACE`, and the execution still waits for it."""
    if now < max(task.at, run.execution.created_at) + GRACE:
        return False
    if task.function == "finish":
        return not run.execution.cleaned
    if task.function not in _WAITING_FOR.get(run.execution.state, ()):
        return False
    if task.function != "send_push":
        return True
    push = int(task.body["push"])
    shards = [shard for shard in ports.shards.of(run.execution.id) if shard.push == push and not shard.test]
    waiting = not shards or any(not shard.done for shard in shards)
    return waiting and not run.too_late(task.at, now)
