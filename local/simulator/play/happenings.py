"""Carries out the events that were drawn: actions of people, new releases, meaningless tasks."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from functions.ports import Ports
from functions.ports.queue import Task
from local.simulator.judge.contract import Contract
from local.simulator.judge.moves import Moves
from local.simulator.judge.promises import Promises
from local.simulator.judge.run_log import RunLog
from local.simulator.judge.skips import Skips
from local.simulator.play.chance import Chance, Injected
from local.simulator.play.people import Event, act, newcomer_id
from local.simulator.play.scenario import Scenario
from local.simulator.play.workers import Worker
from local.simulator.play.world import World

_POISONS: tuple[Mapping[str, Any], ...] = (
    {"executionId": "nobody_20260101T000000Z", "push": 99, "shard": -1, "generation": 0},
    {"executionId": 7},
    {},
)
_CHANGES = ("pause", "resume", "edit", "delete", "join", "move", "skip", "shift", "restore")


class Stage(Protocol):
    """Where events happen: the simulation."""

    chance: Chance
    ports: Ports

    def start(self, name: str, work: Callable[[], Any], settle: Callable[[Any], None]) -> None:
        """Start a request."""
        ...

    def crash_others(self) -> None:
        """Kill every process where it is."""
        ...

    def refuse(self, recipe_id: str) -> None:
        """Make a recipe's running executions unreadable to every process from now on."""
        ...

    def change_rules(self) -> None:
        """Let every process work on the workspace of a later release from now on."""
        ...


class Happenings:
    """What people do to a scenario. `touched` are the recipes that they have changed."""

    def __init__(
        self, stage: Stage, contract: Contract, promises: Promises, *, scenario: Scenario, world: World, log: RunLog
    ) -> None:
        self._stage, self._contract, self._promises, self._world, self._log = stage, contract, promises, world, log
        self._written = {document["id"]: document for document in scenario.recipes}
        self._skips, self.moves = Skips(contract), Moves(log.broken)
        self.touched: set[str] = set()

    def happen(self, event: Event) -> None:
        """Carry out an event, unless this run leaves it out."""
        place = f"event {event.number} {event.subject}".strip()
        if not self._stage.chance.happens(Injected(kind=event.kind, place=place)):
            return
        name = f"{event.kind}-{event.number}"
        if event.kind == "redeploy":
            self._stage.crash_others()
        elif event.kind == "stricter":
            self._stage.crash_others()
            self._stage.refuse(event.recipe_id)
        elif event.kind == "rules":
            self._stage.crash_others()
            self._stage.change_rules()
        elif event.kind == "poison":
            self._poison(name, event)
        elif event.kind == "force":
            for task in self._world.queue.pending():
                if task.body.get("executionId") == event.execution_id:
                    self._world.queue.force(task.name)
        elif event.kind == "malformed":
            self.touched.add(event.recipe_id)
            self._promises.forget(event.recipe_id)
            self._world.recipes.change(event.recipe_id, lambda old: old and {**old, "schedule": "never"})
        else:
            self._act(name, event)

    def interrupt(self, worker: Worker, kind: str) -> bool:
        """Start a person's action on the execution that a worker works on; False if it works on none."""
        identity = worker.execution_id
        if identity not in self._contract.watched:
            return False
        execution = self._contract.watched[identity].execution
        event = Event(
            at=self._world.ports.clock.now(),
            number=0,
            kind=kind.removesuffix("_now"),
            recipe_id=execution.recipe_id,
            execution_id=identity,
        )
        self._act(f"{event.kind} within {worker.name}/{worker.calls}", event)
        return True

    def _poison(self, name: str, event: Event) -> None:
        chance = self._stage.chance
        function = chance.pick(f"{name}/function", ("send_push", "send_shard", "finish", "checkpoint"))
        body = chance.pick(f"{name}/body", _POISONS)
        self._world.queue.add(Task(name=name, function=function, body=body, at=event.at))

    def _act(self, name: str, event: Event) -> None:
        """Start a person's request. If it is accepted, the contract expects its effect from then on."""
        changed = newcomer_id(event) if event.kind == "join" else event.recipe_id
        if event.kind in _CHANGES:
            self.touched.add(event.recipe_id)
            self._promises.forget(changed)
        if event.kind == "shift":
            self.moves.asked(event.execution_id)
        skips_settle = self._skips.begin(event.kind, event.recipe_id, event.execution_id)
        waiting = [one.id for one in self._world.executions.unfinished() if one.recipe_id == event.recipe_id]

        def work() -> bool:
            try:
                return act(self._stage.ports, event, self._written.get(event.recipe_id, {}))
            except Exception as error:  # the person sees the error and leaves
                self._log.say(name, f"was told: {error}", plain=True)
                return False

        def settle(accepted: bool | None) -> None:
            skips_settle(accepted)
            if event.kind in _CHANGES and accepted is None:
                self._promises.forget(changed)  # the requesting process died before it could show anything
            elif event.kind in _CHANGES:
                self._promises.note(changed)
            if accepted and event.kind in ("pause", "delete"):
                for identity in waiting:
                    self._contract.doom_unless_live(identity, f"its recipe had been {event.kind}d before")

        self._stage.start(name, work, settle)
