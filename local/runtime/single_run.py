"""One execution of one recipe, from its start to its cleanup, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from audience_jobs.contract import Engine
from functions import bootstrap
from functions.domain.errors import BadInput, NotPossible
from functions.domain.ids import execution_id
from functions.domain.instants import stamp
from functions.domain.recipe.read import Document, Recipe, parse
from functions.domain.recipe.schedule import sends_from, slot_for, starts_from
from functions.ports import Ports
from functions.ports.executions import LogEntry
from functions.settings import Settings
from functions.usecases.recipes.audience import recipe_job
from functions.usecases.recipes.check import check_recipe
from functions.usecases.recipes.save import save_recipe
from functions.usecases.reports.execution import ExecutionReport, report
from functions.usecases.timeline import control
from functions.usecases.timeline.steps import timeline_of
from local.embedded.clock import RealClock, VirtualClock
from local.embedded.outbox import OutcomeScript
from local.embedded.system import EmbeddedSystem
from local.runtime.functions import Runtime, load_functions
from local.runtime.serving import FUNCTIONS, SOURCE


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run to make: a checked recipe, the instants of its start and its send, and its interruptions."""

    recipe: Recipe
    at: datetime
    send_at: datetime
    cancel_at: datetime | None = None
    stop_at: datetime | None = None


class SingleRun:
    """An embedded system on a virtual clock, which runs executions one after another.

    `show` is called with each new line of an execution's log.
    """

    def __init__(
        self,
        settings: Settings,
        at: datetime,
        *,
        show: Callable[[LogEntry], None],
        script: OutcomeScript | None = None,
    ) -> None:
        self._clock = VirtualClock(at)
        self._show = show
        self._system: EmbeddedSystem = bootstrap.embedded(settings, self._clock, script)
        self._system.queue.recover()
        self._system.schedules.recover()
        self._runtime = Runtime(
            queue=self._system.queue,
            schedules=self._system.schedules,
            clock=self._clock,
            apps=load_functions(FUNCTIONS, SOURCE),
            around=lambda: bootstrap.bind(self.ports),
        )

    def close(self) -> None:
        """Close what the system holds open."""
        self._system.close()

    @property
    def ports(self) -> Ports:
        """The system's ports."""
        return self._system.ports

    def execute(self, plan: Plan) -> ExecutionReport:
        """Run an execution to its end and return its report.

        A slot that has run before is not run again: the report is the one of that run.
        """
        self._clock.advance_to(max(plan.at, self._clock.now()))
        save_recipe(self.ports, plan.recipe.document(), by="cli")
        headers = {"X-CloudScheduler": "true", "X-CloudScheduler-ScheduleTime": stamp(plan.at) or ""}
        response = self._runtime.call("launch", headers, {"recipeId": plan.recipe.id})
        execution = execution_id(plan.recipe.id, plan.send_at)
        if self.ports.executions.get(execution) is None:
            raise RuntimeError(f"launch answered {response.status}: {response.text}")
        shown = _NewLines(self.ports, execution, self._show)
        self._interrupt(execution, plan)
        self._runtime.drain(until=shown.finished)
        shown.finished()
        return report(self.ports, execution)

    def _interrupt(self, execution: str, plan: Plan) -> None:
        orders = [(plan.cancel_at, control.cancel), (plan.stop_at, control.stop)]
        given = [(at, order) for at, order in orders if at is not None]
        for at, order in sorted(given, key=lambda entry: entry[0]):
            self._runtime.run_until(at, scheduler=False, inclusive=False)
            try:
                order(self.ports, execution, "requested on the command line")
            except NotPossible:
                continue  # the interruption came too late: the report says how the execution ended


class _NewLines:
    """Passes an execution's log on, line by line, while tasks are delivered."""

    def __init__(self, ports: Ports, execution: str, show: Callable[[LogEntry], None]) -> None:
        self._ports, self._execution, self._show, self._shown = ports, execution, show, 0

    def finished(self) -> bool:
        """Show new lines; return whether the execution has ended and is cleaned up."""
        entries = self._ports.logs.of(self._execution)
        for entry in entries[self._shown :]:
            self._show(entry)
        self._shown = len(entries)
        execution = self._ports.executions.get(self._execution)
        return execution is not None and execution.cleaned


def make_plan(
    document: Document,
    settings: Settings,
    *,
    at: datetime | None,
    on: date | None = None,
    cancel: str = "",
    stop: str = "",
) -> Plan:
    """Check everything that a run needs before anything is written; BadInput or AudienceJobError says what is wrong.

    The run begins at an instant, or is the first send on a day of the recipe's zone, or else its next send.
    The audience job runs once as a trial, so that unusable user data leaves no failed execution.
    """
    engine, find_job = bootstrap.user_data(settings)
    recipe = parse(document)
    workspace = bootstrap.workspace(settings)
    check_recipe(recipe, policy=settings.policy, find_job=find_job, workspace=workspace)
    if not recipe.is_active:
        notices = "".join(f" ({notice})" for notice in recipe.notices)
        raise BadInput(f"recipe {recipe.id} is {recipe.status.value}{notices}; to run it, set status to active")
    at = at or (_start_on(recipe, on) if on else _next_start(recipe, RealClock().now()))
    send_at = _slot(recipe, at)
    job, arguments = recipe_job(recipe, find_job, workspace)
    check_user_data(engine)
    with engine.run(job, arguments, now=send_at - recipe.schedule.lead):
        pass
    return Plan(
        recipe=recipe,
        at=at,
        send_at=send_at,
        cancel_at=_relative(cancel, recipe, send_at, "--cancel-at") if cancel else None,
        stop_at=_relative(stop, recipe, send_at, "--stop-at") if stop else None,
    )


def check_user_data(engine: Engine) -> None:
    """Raise the error that prevents reading the user data, as the engine's `write_devices_of` does."""
    with TemporaryDirectory(prefix="tminus-") as folder:
        engine.write_devices_of([], Path(folder) / "devices.csv", per_user=1)


def _slot(recipe: Recipe, at: datetime) -> datetime:
    send_at = slot_for(recipe.schedule, at)
    if send_at is None:
        starts = ", ".join(stamp(start) or "" for start in islice(starts_from(recipe.schedule, at), 3))
        raise BadInput(
            f"--at {stamp(at)}: recipe {recipe.id} starts nothing then; its next starts: {starts or 'none'}"
        )
    return send_at


def _start_on(recipe: Recipe, day: date) -> datetime:
    """Return the start of a recipe's first send on a local day; BadInput if it has none."""
    begins, ends = recipe.schedule.day_bounds(day)
    sends = list(islice(sends_from(recipe.schedule, begins), 3))
    if not sends or sends[0] >= ends:
        days = ", ".join(dict.fromkeys(f"{recipe.schedule.day_of(send)}" for send in sends))
        raise BadInput(f"--on {day}: recipe {recipe.id} sends nothing on that day; its next days: {days or 'none'}")
    return sends[0] - recipe.schedule.lead


def _next_start(recipe: Recipe, now: datetime) -> datetime:
    """Return a recipe's next start; BadInput if it has none."""
    start = next(starts_from(recipe.schedule, now), None)
    if start is None:
        raise BadInput(f"recipe {recipe.id} has no send left after {now:%Y-%m-%d %H:%M} UTC; move schedule.startDate")
    return start


def _relative(text: str, recipe: Recipe, send_at: datetime, option: str) -> datetime:
    """Read `T-1m`, `T+90s`, `T-0` or an ISO instant with a zone; T is the send time."""
    units = {"s": "seconds", "m": "minutes", "h": "hours"}
    if text[:1].upper() != "T":
        raise BadInput(f"{option} {text!r}: write it relative to the send time, such as T-1m, T-30s or T+2m")
    sign, number, unit = text[1:2], text[2:].rstrip("smh"), text[-1:]
    if sign not in ("+", "-") or not number.isdecimal() or (unit not in units and number != "0"):
        raise BadInput(f"{option} {text!r}: write it relative to the send time, such as T-1m, T-30s or T+2m")
    distance = timedelta(**{units.get(unit, "minutes"): int(number)})
    at = send_at - distance if sign == "-" else send_at + distance
    start, last = send_at - recipe.schedule.lead, timeline_of(recipe, send_at).finish_at
    if not start <= at <= last:
        raise BadInput(f"{option} {text!r}: the execution lasts from {stamp(start)} to {stamp(last)}")
    return at
