"""The steps of an execution as tasks, which launch enqueues and reconcile replaces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.cadence.rules import Push
from functions.domain.errors import BadRecipe, NotFound, Unreadable, for_log
from functions.domain.execution.execution import Execution, Kind
from functions.domain.ids import push_key, task_name
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import planned_clock
from functions.domain.recipe.timeline import Phase, PushTiming, Timeline, plan
from functions.ports import Ports
from functions.ports.queue import Task

_BEFORE = (Phase.AUDIENCE_GENERATION, Phase.TEST_SENDING)


@dataclass(frozen=True, kw_only=True)
class Run:
    """An execution with the recipe and the timeline of its snapshot."""

    execution: Execution
    recipe: Recipe
    timeline: Timeline

    @property
    def lateness(self) -> timedelta:
        """How late a live phase may start before it expires."""
        return timedelta(minutes=self.recipe.settings.max_lateness_minutes)

    def too_late(self, due_at: datetime, now: datetime) -> bool:
        """Return whether something due at this instant must be skipped: no send is better than a stale one."""
        return now > due_at + self.lateness

    def owed_window(self, shortest: timedelta) -> timedelta:
        """Return the shortest time to cancel after the tests: `shortest`, or the recipe's own window.

        A dry run and a TEST need none, as they send nothing to real audiences.
        """
        if self.recipe.test_mode or self.execution.kind is Kind.TEST:
            return timedelta()
        return min(shortest, self.execution.send_at - self.timeline.window_at)

    def window_over_at(self, shortest: timedelta) -> datetime:
        """Return when that time is over: at T-0, or later if the tests ended late."""
        ended = [self.execution.phases[phase].ended_at for phase in _BEFORE if phase in self.execution.phases]
        owed = [at + self.owed_window(shortest) for at in ended if at is not None]
        return max([self.execution.send_at, *owed])

    def ledger_push(self, number: int) -> Push:
        """Return a push of the sequence in the form of the cadence ledger."""
        return Push(
            key=push_key(self.execution.id, number),
            layer=self.recipe.pushes[number - 1].layer_id,
            at=self.timeline.push_at[number - 1],
            zone=self.recipe.schedule.zone,
            plan=self.timeline.push_plan[number - 1],
        )


def read_run(execution: Execution) -> Run:
    """Read an execution's snapshot; Unreadable if this release cannot, as after a rollback from a newer one."""
    if execution.unreadable:
        raise Unreadable(f"{execution.id}: {execution.unreadable}")
    try:
        recipe = read(execution.recipe)
    except BadRecipe as error:
        raise Unreadable(f"{execution.id}: this release cannot read the recipe in it: {for_log(error)}") from error
    test = execution.kind is Kind.TEST
    return Run(execution=execution, recipe=recipe, timeline=timeline_of(recipe, execution.send_at, test=test))


def load_run(ports: Ports, execution_id: str) -> Run:
    """Return an execution by its id; NotFound if there is none, Unreadable as in `read_run`."""
    return read_run(load_execution(ports, execution_id))


def load_execution(ports: Ports, execution_id: str) -> Execution:
    """Return an execution by its id, even if its recipe cannot be read; NotFound if there is none."""
    execution = ports.executions.get(execution_id)
    if execution is None:
        raise NotFound(f"the execution {execution_id!r} does not exist")
    return execution


def run_or_problem(execution: Execution) -> tuple[Run | None, str]:
    """Return the run, or None and why this release cannot read it, for pages and lists."""
    try:
        return read_run(execution), ""
    except Unreadable as error:
        return None, str(error)


def timeline_of(recipe: Recipe, send_at: datetime, *, test: bool = False) -> Timeline:
    """Return the due instants of an execution of a recipe with the given send instant.

    A TEST has no pushes to wait for.
    """
    return plan(
        send_at=send_at,
        lead=recipe.schedule.lead,
        window=recipe.window,
        zone=recipe.schedule.zone,
        timings=[PushTiming()] * len(recipe.timings) if test else recipe.timings,
        clock=planned_clock(recipe.schedule, send_at),
    )


def tasks_of(run: Run, generation: int = 0) -> Iterator[Task]:
    """Yield the tasks of all steps of an execution, in order of their due instants.

    The names contain the generation, so that a task that replaces a lost one is not dropped as its repeat.
    """
    timeline = run.timeline
    yield _task(run, generation, "build_audience", timeline.build_at)
    if run.execution.kind is not Kind.ONE_OFF:
        yield _task(run, generation, "send_test", timeline.test_at)
    if run.execution.kind is Kind.TEST:
        yield _task(run, generation, "finish", timeline.finish_at)
        return
    yield _task(run, generation, "checkpoint", timeline.send_at)
    for push, at in enumerate(timeline.push_at, start=1):
        yield _task(run, generation, "send_push", at, push=push)
    yield _task(run, generation, "finish", timeline.finish_at)


def shard_task(run: Run, generation: int, push: int, shard: int, at: datetime) -> Task:
    """Return the task that sends one shard of one push."""
    return _task(run, generation, "send_shard", at, push=push, shard=shard)


def cleanup_task(execution_id: str, generation: int, at: datetime) -> Task:
    """Return a task that cleans up after an execution, also after one that cannot be read."""
    name = task_name(execution_id, "finish", generation)
    return Task(name=name, function="finish", body={"executionId": execution_id, "generation": generation}, at=at)


def _task(run: Run, generation: int, function: str, at: datetime, **numbers: int) -> Task:
    step = "-".join([function, *(str(number) for number in numbers.values())])
    return Task(
        name=task_name(run.execution.id, step, generation),
        function=function,
        body={"executionId": run.execution.id, **numbers, "generation": generation},
        at=at,
        trace=run.execution.trace_id,
    )
