"""A laboratory: the real functions on the embedded runtime, on a small user database and a virtual clock."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audience_jobs.contract import Audience, Column, Job, Parameter
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import marketplace, open_workspace
from functions import bootstrap
from functions.domain.audit import Action, Deed
from functions.domain.execution.execution import Execution
from functions.domain.ids import execution_id
from functions.domain.policy import Policy
from functions.domain.recipe.read import read
from functions.handlers.http.as_json import as_json
from functions.ports import Ports
from functions.usecases.recipes.save import match_schedule, save_recipe
from functions.usecases.reports.execution import report
from local.embedded.clock import VirtualClock
from local.embedded.outbox import OutcomeScript
from local.embedded.response import Response
from local.embedded.system import RECONCILE_JOB, EmbeddedSystem, open_system
from local.runtime.functions import Runtime, load_functions
from local.runtime.serving import FUNCTIONS, SOURCE
from tests.factories import TESTER, recipe, user

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
START_AT = SEND_AT - timedelta(minutes=30)
EARLIER = START_AT - timedelta(hours=2)

Wrap = Callable[[Ports], Ports]


def _job(audiences: Sequence[str]) -> Job:
    columns = (
        Column(name="user_id", type="text", meaning="the user"),
        Column(name="name", type="text", meaning="what to call them"),
        Column(name="shoe", type="text", meaning="their shoe"),
    )
    return Job(
        id="everybody",
        title="Everybody, by the audience written in their bio",
        layer=3,
        parameters=(Parameter(name="most", type="integer", default=1_000_000, meaning="at most so many users"),),
        audiences=tuple(Audience(name=name, columns=columns, meaning=name) for name in audiences),
        sql="""
            SELECT bio AS audience, id AS user_id, first_name AS name, username AS shoe
            FROM users WHERE deleted_at = 0 ORDER BY id LIMIT $most
        """,
    )


def lab_tables(*more: str) -> str:
    """The tables.toml of a workspace over the user database of a laboratory; `more` are further columns of users."""
    columns = "\n".join(more)
    return f"""
[users.columns]
id = "id"
username = "text"
first_name = "text"
bio = "text"
deleted_at = "integer"
{columns}

[devices.columns]
user_id = "id"
token = "text"
platform = "text"
updated_at = "timestamp"
"""


class Lab:
    """One system; `restart` throws the process away and starts another on the same state, as after a kill.

    It reconciles every 15 minutes, as most tests do not depend on it: see `reconciling_every_5_minutes`.
    """

    audiences = ("a", "b", "c")
    reconcile_job = replace(RECONCILE_JOB, cron="*/15 * * * *")

    def __init__(self, folder: Path, *, policy: Policy | None = None, script: OutcomeScript | None = None) -> None:
        self.folder = folder
        self.data, self.state = folder / "data", folder / "state"
        self.clock = VirtualClock(EARLIER)
        self.policy = policy or Policy()
        self.script = script or OutcomeScript()
        self.job = _job(self.audiences)
        self.workspace = marketplace()
        self.wrap: Wrap = lambda ports: ports
        self.system: EmbeddedSystem | None = None
        self.ports: Ports
        self.runtime: Runtime
        self.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)})

    def open(self) -> "Lab":
        """Start the process."""
        self.system = open_system(
            self.state,
            clock=self.clock,
            engine=DuckDBEngine(self.data, self.workspace),
            find_job=lambda _: self.job,
            workspace=self.workspace,
            policy=self.policy,
            script=self.script,
        )
        self.ports = self.wrap(self.system.ports)
        self.system.queue.recover()
        self.system.schedules.recover()
        self.system.schedules.put(self.reconcile_job)
        self.runtime = Runtime(self.system.queue, self.system.schedules, self.clock, _APPS(), self._around)
        return self

    def close(self) -> None:
        """End the process."""
        if self.system is not None:
            self.system.close()
            self.system = None

    def restart(self) -> "Lab":
        """End the process and start another on the same state."""
        self.close()
        return self.open()

    def use_models(self, tables: str, **models: str) -> None:
        """Restart with a workspace of these tables and models, as a team writes them."""
        folder = self.folder / "workspace"
        (folder / "models").mkdir(parents=True)
        (folder / "tminus.toml").write_text('name = "lab"\n', encoding="utf-8")
        (folder / "tables.toml").write_text(tables, encoding="utf-8")
        for name, sql in models.items():
            (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
        self.workspace = open_workspace(folder)
        self.restart()

    def use_locales(self) -> None:
        """Restart with a workspace that knows in which language people read: it is what their bio says."""
        people = "SELECT id AS user_id, bio AS locale FROM users"
        devices = "SELECT user_id, token, platform, updated_at FROM devices"
        self.use_models(lab_tables(), people=people, devices=devices)

    def _around(self) -> AbstractContextManager[None]:
        return bootstrap.bind(self.ports)

    def write_users(self, audiences: Mapping[str, Sequence[int]], *, without_token: Sequence[int] = ()) -> None:
        """Write a user database in which these users are in these audiences."""
        rows = [(user(n), f"Shoe {n}", f"Name {n}", name) for name, numbers in audiences.items() for n in numbers]
        self.write_rows(rows)
        owners = [user(n) for numbers in audiences.values() for n in numbers if n not in without_token]
        self.write_devices([(owner, f"token-{owner}") for owner in [*dict.fromkeys(owners), TESTER]])

    def write_rows(self, rows: Sequence[tuple[str, str, str, str]]) -> None:
        """Write users as (id, shoe, name, audience)."""
        header = ("id", "username", "first_name", "bio", "deleted_at")
        self.write_table("users", header, [(*row, "0") for row in rows])

    def write_devices(self, rows: Sequence[tuple[str, str]], *, days: Sequence[int] = ()) -> None:
        """Write devices as (user, token), all registered on 1 January or on `days` of it."""
        header = ("user_id", "token", "platform", "updated_at")
        at = [f"2026-01-{day:02} 00:00:00+00" for day in days or [1] * len(rows)]
        self.write_table("devices", header, [(*row, "ios", day) for row, day in zip(rows, at, strict=True)])

    def write_table(self, table: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])

    def save(self, document: Mapping[str, Any] | None = None) -> None:
        """Save a recipe, as a person would."""
        save_recipe(self.ports, document or recipe(), by="growth@example.com")

    def store(self, document: dict[str, Any]) -> None:
        """Store a recipe as an earlier release or somebody by hand would have: what it holds is not checked."""
        deed = Deed(by="somebody else", at=self.clock.now(), action=Action.SAVED)
        self.ports.recipes.change(document["id"], lambda _: document, deed)
        match_schedule(self.ports, read(document))

    def run_to(self, at: datetime, *, inclusive: bool = True) -> None:
        """Let everything happen that is due until then."""
        self.runtime.run_until(at, inclusive=inclusive)

    def run_to_the_end(self) -> None:
        """Let everything happen until the cleanup of the first send, and a while after it."""
        self.run_to(SEND_AT + timedelta(hours=2))

    def launch(self, at: datetime = START_AT, recipe_id: str = "welcome") -> Response:
        """Fire the scheduler's job of a recipe, as meant for an instant."""
        headers = {"X-CloudScheduler": "true", "X-CloudScheduler-ScheduleTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        return self.runtime.call("launch", headers, {"recipeId": recipe_id})

    def deliver(self, function: str, **body: object) -> Response:
        """Deliver a task by hand, once more than the queue does."""
        again = {"X-CloudTasks-TaskName": f"again-{function}"}
        return self.runtime.call(function, again, {"executionId": self.id, **body})

    id = execution_id("welcome", SEND_AT)

    def execution(self, execution: str = "") -> Execution:
        """The execution of the first send, or another."""
        found = self.ports.executions.get(execution or self.id)
        assert found is not None
        return found

    def report(self, execution: str = "") -> dict[str, Any]:
        """The report of the first send, or another."""
        document: dict[str, Any] = as_json(report(self.ports, execution or self.id))
        return document

    def violations(self, execution: str = "") -> list[str]:
        """The types of the execution's violations."""
        return [violation["type"] for violation in self.report(execution)["violations"]]

    def outbox(self, *, test: bool | None = None) -> list[dict[str, Any]]:
        """The messages that left, all or only the tests or the live ones."""
        path = self.state / "outbox.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        messages = [json.loads(line) for line in lines]
        return [message for message in messages if test is None or message["test"] is test]

    def assert_contract(self) -> None:
        """The delivery contract, as far as one look at the end can tell."""
        sends = Counter((m["executionId"], m["push"], m["token"], m["test"]) for m in self.outbox())
        assert [key for key, count in sends.items() if count > 1] == [], "somebody got a push twice"
        for execution in {m["executionId"] for m in self.outbox()} | {self.id}:
            numbers = self.report(execution)
            for push in numbers["pushes"]:
                parts = push["sent"] + push["failed"] + push["unknown"] + push["notReached"]
                assert push["audienceSize"] == sum(push["excluded"].values()) + parts
                assert min(push["notReached"], push["sent"], push["failed"], push["unknown"]) >= 0
            left = [m for m in self.outbox(test=False) if m["executionId"] == execution]
            totals = numbers["totals"]
            assert (
                totals["sent"] <= len({(m["push"], m["userId"]) for m in left}) <= totals["sent"] + totals["unknown"]
            )


_loaded: dict[str, Any] = {}


def _APPS() -> dict[str, Any]:  # noqa: N802 - loaded once for all laboratories: main.py is free of state
    if not _loaded:
        _loaded.update(load_functions(FUNCTIONS, SOURCE))
    return _loaded


@pytest.fixture
def reconciling_every_5_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have laboratories reconcile as often as a deployment does."""
    monkeypatch.setattr(Lab, "reconcile_job", RECONCILE_JOB)


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Make laboratories, each in a folder of its own, opened and with nothing saved."""
    labs: list[Lab] = []

    def make(*, wrap: Wrap | None = None, script: OutcomeScript | None = None, **policy: Any) -> Lab:
        lab = Lab(tmp_path / f"lab-{len(labs)}", policy=replace(Policy(), **policy), script=script)
        if wrap is not None:
            lab.wrap = wrap
        labs.append(lab)
        return lab.open()

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """A laboratory with the recipe saved."""
    made = make_lab()
    made.save()
    return made
