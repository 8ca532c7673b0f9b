"""The steps of an execution as tasks: what launch enqueues and reconciling enqueues again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.domain.cadence.rules import Push
from functions.domain.errors import BadRecipe, NotFound, Unreadable
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
    """An execution with what follows from its snapshot: the recipe and the timeline."""

    execution: Execution
    recipe: Recipe
    timeline: Timeline

    @property
    def lateness(self) -> timedelta:
        """How late a live phase may start before it expires."""
        return timedelta(minutes=self.recipe.settings.max_lateness_minutes)

    def too_late(self, due_at: datetime, now: datetime) -> bool:
        """Say whether something that was due then must be skipped: no send beats a stale one."""
        return now > due_at + self.lateness

    def owed_window(self, shortest: timedelta) -> timedelta:
        """Return the time that people have at least, after the tests, to cancel: `shortest`, or the recipe's own.

        A dry run and a test owe none: they send to no user that a window protects.
        """
        if self.recipe.test_mode or self.execution.kind is Kind.TEST:
            return timedelta()
        return min(shortest, self.execution.send_at - self.timeline.window_at)

    def window_over_at(self, shortest: timedelta) -> datetime:
        """Return when people have had that time: at T-0, or later where the tests ended late."""
        ended = [self.execution.phases[phase].ended_at for phase in _BEFORE if phase in self.execution.phases]
        owed = [at + self.owed_window(shortest) for at in ended if at is not None]
        return max([self.execution.send_at, *owed])

    def ledger_push(self, number: int) -> Push:
        """Return a push of the sequence as the cadence ledger knows it."""
        return Push(
            key=push_key(self.execution.id, number),
            layer=self.recipe.pushes[number - 1].layer_id,
            at=self.timeline.push_at[number - 1],
            zone=self.recipe.schedule.zone,
            plan=self.timeline.push_plan[number - 1],
        )


def read_run(execution: Execution) -> Run:
    """Read an execution's snapshot; Unreadable where this release cannot, as after a newer one was rolled back."""
    if execution.unreadable:
        raise Unreadable(f"{execution.id}: {execution.unreadable}")
    try:
        recipe = read(execution.recipe)
    except BadRecipe as error:
        raise Unreadable(f"{execution.id}: this release cannot read the recipe in it: {error}") from error
    test = execution.kind is Kind.TEST
    return Run(execution=execution, recipe=recipe, timeline=timeline_of(recipe, execution.send_at, test=test))


def load_run(ports: Ports, execution_id: str) -> Run:
    """Return an execution by its id; NotFound where there is none, Unreadable as `read_run`."""
    return read_run(load_execution(ports, execution_id))


def load_execution(ports: Ports, execution_id: str) -> Execution:
    """Return an execution by its id, also one that cannot be read; NotFound where there is none."""
    execution = ports.executions.get(execution_id)
    if execution is None:
        raise NotFound(f"there is no execution {execution_id!r}")
    return execution


def run_or_problem(execution: Execution) -> tuple[Run | None, str]:
    """Return what `read_run` does, or None and why this release cannot read it: for pages and lists."""
    try:
        return read_run(execution), ""
    except Unreadable as error:
        return None, str(error)


def timeline_of(recipe: Recipe, send_at: datetime, *, test: bool = False) -> Timeline:
    """Return the due instants of a recipe's execution that sends at the given instant.

    One that ends after its tests waits for no push.
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
    """Yield the tasks of all steps of an execution, in the order in which they are due.

    Tasks of another generation have other names, so that they are not dropped as repeats of a lost one.
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


def _task(run: Run, generation: int, function: str, at: datetime, **numbers: int) -> Task:
    step = "-".join([function, *(str(number) for number in numbers.values())])
    return Task(
        name=task_name(run.execution.id, step, generation),
        function=function,
        body={"executionId": run.execution.id, **numbers, "generation": generation},
        at=at,
    )
