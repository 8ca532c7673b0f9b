"""Forecast what a folder of recipes will send in the next days, and how many users the rules exclude."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audience_jobs.contract import Engine, Job
from audience_jobs.workspace import Workspace
from functions.domain.audience.partition import read_rows
from functions.domain.cadence.rules import DEFAULT_RULES, Push, Window
from functions.domain.cost import Use
from functions.domain.execution.execution import Execution
from functions.domain.policy import Policy
from functions.domain.push.outcomes import EXCLUDED, SENT
from functions.domain.recipe.read import Recipe, read
from functions.usecases.reports.execution import ExecutionReport, report
from functions.usecases.timeline.steps import read_run
from local.forecast.cost import use_of_call
from local.simulator.judge.ending import outcomes_of
from local.simulator.judge.run_log import Breach
from local.simulator.play.scenario import Scenario
from local.simulator.play.simulation import Simulation
from local.simulator.play.todays_users import TodaysUsers
from local.simulator.play.workers import Worker

_RULES = {EXCLUDED[rule.reason]: rule for rule in DEFAULT_RULES}


@dataclass(frozen=True, kw_only=True)
class Got:
    """A push that a user was sent, in the form of the ledger, with its recipe."""

    push: Push
    recipe_id: str


@dataclass(frozen=True, kw_only=True)
class NamedReport:
    """The report of an execution, with the name of its recipe."""

    recipe_name: str
    report: ExecutionReport


@dataclass(kw_only=True)
class Forecast:
    """The result of a simulated span of days.

    `executions` are reports in order of their sends. `collisions` count the users that a recipe could not reach, by
    the recipe whose earlier push prevented it.
    """

    seed: int
    begins_at: datetime
    ends_at: datetime
    executions: list[NamedReport] = field(default_factory=list)
    users: dict[str, list[Got]] = field(default_factory=lambda: defaultdict(list))
    collisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    minutes: Counter[datetime] = field(default_factory=Counter)
    use: Use = field(default_factory=Use)
    faults: Counter[str] = field(default_factory=Counter)
    breaches: list[Breach] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Question:
    """The input of a forecast: recipes, user data, beginning, number of days, and level of faults."""

    recipes: Sequence[Recipe]
    engine: Engine
    find_job: Callable[[str], Job]
    workspace: Workspace
    policy: Policy
    begins_at: datetime
    days: int
    level: str = "none"


def _quietly(share: float) -> None:
    """Report nothing."""


def forecast(question: Question, seed: int, *, progress: Callable[[float], None] = _quietly) -> Forecast:
    """Play the next days, each with today's user data.

    `progress` gets the finished share.
    """
    ends_at = question.begins_at + timedelta(days=question.days)
    scenario = Scenario(
        begins_at=question.begins_at,
        ends_at=ends_at,
        recipes=tuple(recipe.document() for recipe in question.recipes if recipe.is_active),
        users=(),
        policy=question.policy,
        chunks_under_way=4,
    )
    with TemporaryDirectory(prefix="tminus-") as folder:
        topics = {recipe.topic for recipe in question.recipes}
        engine = TodaysUsers(question.engine, question.begins_at, Path(folder), topics)
        played = _Forecasting(
            seed,
            level=question.level,
            scenario=scenario,
            keep_log=False,
            engine=engine,
            find_job=question.find_job,
            workspace=question.workspace,
            progress=progress,
        )
        return played.forecast()


class _Forecasting(Simulation):
    """A simulation that keeps the report of each execution and then deletes its files."""

    def __init__(
        self, seed: int, *, level: str, scenario: Scenario, progress: Callable[[float], None], **options: Any
    ) -> None:
        super().__init__(seed, level=level, scenario=scenario, **options)
        self._progress = progress
        self._careful = level != "none"
        self._made = Forecast(seed=seed, begins_at=scenario.begins_at, ends_at=scenario.ends_at)

    def forecast(self) -> Forecast:
        """Play, and return the result."""
        outcome = self.run()
        for execution in self.world.executions.all():
            if not execution.cleaned:
                self._collect(execution)
        self._made.executions.sort(key=lambda entry: (entry.report.send_at, entry.report.recipe_id))
        self._made.breaches, self._made.faults = outcome.breaches, self.chance.counts
        return self._made

    def observe(self, worker: Worker | None, call: str, args: tuple[Any, ...], answer: Any) -> None:
        """Count the cost of a call, check the contract if there are faults, and keep reports of ended executions."""
        self._made.use += use_of_call(call)
        if self._careful:
            super().observe(worker, call, args, answer)
        if call == "executions.change" and answer.cleaned:
            self._progress((answer.send_at - self._made.begins_at) / (self._made.ends_at - self._made.begins_at))
            self._collect(answer)

    def _left(self, *given: Any) -> None:
        if self._careful:
            super()._left(*given)

    def _judge(self) -> None:
        """Do not judge: the last executions may still be running."""

    def _collect(self, execution: Execution) -> None:
        if execution.send_at >= self._made.ends_at:
            return
        if any(known.report.execution_id == execution.id for known in self._made.executions[-20:]):
            return
        found = report(self._raw, execution.id)
        name = str(execution.recipe.get("name") or execution.recipe_id)
        self._made.executions.append(NamedReport(recipe_name=name, report=found))
        if not found.dry_run:
            for push, rows in self._rows(execution):
                self._count(execution, push, rows)
        if not self._careful:
            self.world.files.delete(f"audiences/{execution.id}")

    def _rows(self, execution: Execution) -> Iterator[tuple[int, Iterator[tuple[str, int]]]]:
        """Yield each push with its users and their outcomes."""
        shards = [shard for shard in self.world.shards.of(execution.id) if not shard.test]
        for push in range(1, len(read(execution.recipe).pushes) + 1):
            files = self.world.shards.push(execution.id, push)
            content = self.world.files.content(files.live.rows.stored.name) if files else None
            if files and content:
                rows = read_rows(content)
                next(rows)
                outcomes = outcomes_of(files, (shard for shard in shards if shard.push == push))
                yield push, ((row[0], code) for row, code in zip(rows, outcomes, strict=True))

    def _count(self, execution: Execution, push: int, rows: Iterator[tuple[str, int]]) -> None:
        run = read_run(execution)
        got = Got(push=run.ledger_push(push), recipe_id=execution.recipe_id)
        for user, code in rows:
            if code == SENT:
                self._made.users[user].append(got)
                self._made.minutes[got.push.at] += 1
            elif code in _RULES:
                self._in_the_way(user, code, got)

    def _in_the_way(self, user: str, code: int, wanted: Got) -> None:
        rule = _RULES[code]
        window = Window(rule, wanted.push)
        others = {
            other.recipe_id
            for other in self._made.users.get(user, ())
            if other.push.layer in rule.layers and window.holds(other.push.at)
        }
        for other in others:
            self._made.collisions[wanted.recipe_id, other] += 1


def changed(question: Question, recipes: Sequence[Recipe]) -> Question:
    """Return the same question for other recipes."""
    return replace(question, recipes=recipes)
