"""One simulated day, in an order that only the seed decides."""

import heapq
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from audience_jobs.contract import Engine, Job
from functions.domain.errors import TminusError
from functions.domain.push.outcomes import Envelope, Message
from functions.ports import Ports
from functions.usecases.recipes.save import save_recipe
from functions.usecases.recipes.segments import save_segment
from local.embedded.clock import VirtualClock
from local.embedded.response import Response
from local.embedded.system import RECONCILE_JOB
from local.simulator.judge.answers import Answers
from local.simulator.judge.ending import Ending
from local.simulator.judge.judges import judges
from local.simulator.judge.promises import Promises
from local.simulator.judge.run_log import Outcome, RunLog
from local.simulator.judge.segments import Segments
from local.simulator.play.chance import Chance, Injected
from local.simulator.play.dispatch import Dispatch
from local.simulator.play.entry_points import EntryPoint, through_handlers
from local.simulator.play.faults import rates
from local.simulator.play.happenings import Happenings
from local.simulator.play.outage import SHARE_OF_OUTAGES, stand_still_before
from local.simulator.play.people import draw_events
from local.simulator.play.refusals import Refusals
from local.simulator.play.registrations import Registrations
from local.simulator.play.scenario import Scenario, draw_scenario
from local.simulator.play.stricter import refusing
from local.simulator.play.swarm import swarm_rates, swarm_scenario
from local.simulator.play.tapped import tap
from local.simulator.play.workers import Baton, Worker
from local.simulator.play.world import open_world
from local.simulator.proof.call_sites import Site

QUIET = timedelta(hours=2)
"""How long a run continues without faults, so that everything can end."""


class Simulation:
    """Plays one seed; `run` returns the outcome at the first breach or at the end.

    Without `swarm` the day and its faults are drawn unchanged. A given `scenario` is played unchanged. `forced` maps
    places to the kind of fault that always happens there. `favoured`, some of `swarm.FAVOURS`, names what this seed
    always has a lot of.
    """

    def __init__(
        self,
        seed: int,
        *,
        level: str = "harsh",
        only: Collection[Injected] | None = None,
        forced: Mapping[str, str] | None = None,
        scenario: Scenario | None = None,
        swarm: bool = True,
        favoured: Collection[str] = (),
        entry_point: EntryPoint = through_handlers,
        keep_log: bool = True,
        engine: Engine | None = None,
        find_job: Callable[[str], Job] | None = None,
    ) -> None:
        self._ours = engine is None
        swarm = swarm and scenario is None
        usual, drawn = rates(level, seed), scenario or draw_scenario(seed)
        self.rates = swarm_rates(seed, usual, favoured) if swarm else usual
        self.chance = Chance(seed, only, forced)
        self.sites_called: dict[Site, str] = {}
        self.sites_crashed: set[Site] = set()
        self._scenario = swarm_scenario(seed, drawn, favoured) if swarm else drawn
        self._entry_point, self._outcome = entry_point, Outcome(seed=seed)
        self._clock = VirtualClock(self._scenario.begins_at)
        self._log = RunLog(self._outcome, self._clock.now, kept=keep_log)
        self.chance.on_fault = self._on_fault
        self.refusals = Refusals(self.chance, self._clock.now)
        self._baton = Baton()
        registrations = Registrations(self._clock.now, self.chance, come_back=self._ours)
        self._contract, self._departures = judges(
            self._scenario, self._clock.now, self._log.broken, registrations.at, ours=self._ours
        )
        self.world = open_world(
            self._scenario,
            self._clock,
            self.chance,
            self.rates,
            caller=lambda: self._baton.holder.name if self._baton.holder else "",
            wait=self._stand_still,
            left=self._left,
            registrations=registrations,
        )
        self._refused: set[str] = set()
        ports = self.world.ports
        self._use(replace(ports, engine=engine or ports.engine, find_job=find_job or ports.find_job))
        self._ready: deque[Worker] = deque()
        self._asleep: list[tuple[datetime, int, Worker]] = []
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = 0
        self._dispatch = Dispatch(self, self.world.queue, self.world.schedules, self._clock)
        self._answers = Answers(self._contract, self.world.queue, self._clock.now, self._log.broken)
        self._segments = Segments(self._log.broken)
        self._promises = Promises(self.world.recipes, self._clock.now)
        self._happenings = Happenings(
            self, self._contract, self._promises, scenario=self._scenario, world=self.world, log=self._log
        )
        self._events = draw_events(seed, self._scenario, self.rates) if self._ours else []

    # The run.

    def run(self) -> Outcome:
        """Play the day and some time without faults, then judge the run."""
        self.world.schedules.put(RECONCILE_JOB)
        for segment in self._scenario.segments:
            save_segment(self._raw, segment, by="simulator")
        for document in self._scenario.recipes:
            save_recipe(self._raw, document, by="simulator")
            self._promises.note(document["id"])
        self._segments.begin(self.world.recipes.all())
        for execution in self.world.executions.unfinished():
            self._contract.observe("executions.create", (execution,), True, None)  # saved inside its lead time
        if self._ours and self.chance.number("outage") < SHARE_OF_OUTAGES:
            stand_still_before(self.world, self._scenario)
        for event in self._events:
            self.at(event.at, partial(self._happenings.happen, event))
        try:
            self._until(self._scenario.ends_at)
            self.chance.active = False
            self._until(self._scenario.ends_at + QUIET)
            if not self._outcome.breaches:
                self._judge()
        finally:
            for worker in [*self._ready, *(worker for _, _, worker in self._asleep)]:
                self._baton.end(worker)
        return self._sum_up()

    def _until(self, end: datetime) -> None:
        while not self._outcome.breaches:
            if self._ready:
                self._let_go(self._ready.popleft())
                self._dispatch.due(self._clock.now())
                continue
            due = [self._asleep[0][0]] if self._asleep else []
            due += [self._later[0][0]] if self._later else []
            due += [at for at in (self._dispatch.next_at(),) if at is not None]
            if not due or min(due) > end:
                self._clock.advance_to(end)
                return
            self._clock.advance_to(min(due))
            self._wake()
            self._dispatch.due(self._clock.now())

    def _wake(self) -> None:
        now = self._clock.now()
        while self._asleep and self._asleep[0][0] <= now:
            self._ready.append(heapq.heappop(self._asleep)[2])
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()

    def _let_go(self, worker: Worker) -> None:
        """Let a worker run until it waits or ends."""
        if not worker.dead:
            self._baton.give(worker)
        if worker.dead:
            self._baton.end(worker)
            self._log.say(worker.name, "died", plain=True)
            self._excuse(worker)
            worker.settle(None)
        elif isinstance(worker.error, TminusError):
            self._log.say(worker.name, f"answered 500: {worker.error}", plain=True)
            worker.settle(Response(status=500))
        elif worker.error is not None:
            what = f"{worker.name} raised {type(worker.error).__name__}: {worker.error}"
            self._log.broken("", what)
            worker.settle(None)
        elif worker.waits_seconds is None:
            worker.settle(worker.answer)
        elif worker.waits_seconds:
            at = self._clock.now() + timedelta(seconds=worker.waits_seconds)
            self._order += 1
            heapq.heappush(self._asleep, (at, self._order, worker))
        else:
            self._insert(worker)

    def _insert(self, worker: Worker) -> None:
        """Put a worker that let others run first back into the order, at a drawn place."""
        self._dispatch.due(self._clock.now())
        place = self.chance.number(f"{worker.name}/{worker.calls}/place")
        self._ready.insert(1 + int(place * len(self._ready)), worker)

    # Calls by other parts of the simulator.

    def at(self, instant: datetime, happens: Callable[[], None]) -> None:
        """Schedule something for an instant."""
        self._order += 1
        heapq.heappush(self._later, (instant, self._order, happens))

    def start(
        self,
        name: str,
        work: Callable[[], Any],
        settle: Callable[[Any], None],
        *,
        deadline: datetime | None = None,
    ) -> None:
        """Start a request."""
        now = self._clock.now()
        worker = Worker(
            name=name, work=work, settle=settle, began_at=now, began_step=self._contract.step, deadline=deadline
        )
        self._ready.append(worker)

    def call(self, name: str, function: str, headers: dict[str, str], body: Any) -> Response:
        """Post a request to a function, as the running worker."""
        answer = self._entry_point(self.ports, function, headers, body)
        self._answers.given(function, headers, body, answer, self._baton.holder)
        self._log.say(name, f"answered {answer.status} {answer.text.strip()}", plain=answer.status != 200)
        return answer

    def running(self) -> Worker | None:
        """Return the running worker."""
        return self._baton.holder

    def wait(self, worker: Worker, seconds: float) -> None:
        """Let others run first, for so long."""
        if seconds:
            self._log.say(worker.name, f"pauses for {seconds:.1f} s", plain=True)
        self._baton.give_back(worker, seconds)

    def crash_others(self) -> None:
        """Kill every process but the running one where it is."""
        for other in [*self._ready, *(asleep for _, _, asleep in self._asleep)]:
            other.dead = True

    def refuse(self, recipe_id: str) -> None:
        """Make a recipe's running executions unreadable from now on, as a release does whose parser refuses them."""
        under_way = self.world.executions.unfinished()
        self._refused |= {execution.id for execution in under_way if execution.recipe_id == recipe_id}
        self._use(self.world.ports)

    def change_rules(self) -> None:
        """Let every process work on the workspace of a later release from now on."""
        later = self._scenario.later or self._scenario.workspace
        self._use(replace(self.world.ports, workspace=later))
        self._contract.change_workspace(later.folder)

    def _use(self, ports: Ports) -> None:
        self.world, self._raw = replace(self.world, ports=ports), ports
        self.ports = tap(refusing(ports, self._refused) if self._refused else ports, self)

    def interrupt(self, worker: Worker, kind: str) -> None:
        """Let a person stop, cancel or pause a worker's execution before the worker continues."""
        if self._happenings.interrupt(worker, kind):
            self._ready.rotate(1)
            self._baton.give_back(worker, 0.0)

    def observe(self, worker: Worker | None, call: str, args: tuple[Any, ...], answer: Any) -> None:
        """Check a call that has just taken effect."""
        self._outcome.calls += 1
        self._answers.observe(call, args)
        if call == "files.write_once":
            self._contract.stored(args[0], self.world.files.content(args[0]) or b"", worker)
        elif call == "devices.bury":
            graves = self._raw.devices.graves(range(args[0], args[0] + 1))[args[0]]
            lifting = worker is not None and worker.name.startswith("lift-")
            self._contract.buried(args[0], graves, self.world.registrations.called_dead, lifting=lifting)
        elif call == "files.delete":
            self._contract.deleted(args[0], self.world.files.names(args[0]))
        else:
            self._contract.observe(call, args, answer, worker)
            self._segments.observe(call, args, answer, worker, self._contract.step)
            self._happenings.moves.observe(call, answer)
        if worker is not None:
            late = call == "ledger.transact" and self._clock.now() - worker.began_at >= self._raw.policy.lease
            worker.reserved_late = worker.reserved_late or late
            self._log.call(worker.name, call, args, answer)

    def task_fault(self, kind: str, name: str, place: str) -> None:
        """Make the queue deliver a task late or early, or lose it."""
        self._answers.struck(kind, name)
        self._dispatch.strike(kind, name, place)

    # Calls that feed the log and the contract.

    def _left(self, envelope: Envelope, message: Message, arrives: bool) -> None:
        worker = self._baton.holder
        if worker is None:
            return
        self._outcome.messages += 1
        kind = "test of push" if envelope.test else "push"
        to = f"{kind} {envelope.push} left for {message.token}{'' if arrives else ', and never arrived'}"
        self._log.say(worker.name, to, plain=True)
        self._departures.left(envelope, message, arrives=arrives, worker=worker)

    def _on_fault(self, fault: Injected) -> None:
        self._log.fault(fault)
        if self._baton.holder is not None:
            self._excuse(self._baton.holder)

    def _excuse(self, worker: Worker) -> None:
        """Excuse an execution whose worker reserved after its lease and was kept from undoing that."""
        if worker.reserved_late:
            self._contract.excused.add(worker.execution_id)

    def _stand_still(self, seconds: float) -> None:
        if (worker := self._baton.holder) is not None:
            self.wait(worker, round(seconds, 1))

    def _judge(self) -> None:
        world, now = self.world, self._clock.now()
        ending = Ending(
            self._contract,
            self._log.broken,
            ports=world.ports,
            executions=world.executions,
            shards=world.shards,
            violations=world.violations,
            ledger=world.ledger,
            files=world.files,
            schedules=world.schedules,
            alerts=world.alerts,
            channels=world.channels,
            refused=self._refused,
        )
        ending.judge(quiet_since=self._scenario.ends_at, now=now)
        self._promises.judge(world.executions, now, self._log.broken)
        self._segments.judge(world.recipes.all(), world.ports.segments.all())
        for document in self._scenario.recipes:
            if self._ours and document["id"] not in self._happenings.touched:
                lead = timedelta(minutes=document["schedule"]["leadTimeMinutes"])
                if document["audienceCriteria"]["testMode"]:
                    lead = timedelta(minutes=3)
                ending.judge_sends(document, self._scenario.begins_at + lead, now - timedelta(minutes=10))

    def _sum_up(self) -> Outcome:
        outcome = self._outcome
        outcome.injected = self.chance.injected
        outcome.sites_called, outcome.sites_crashed = self.sites_called, self.sites_crashed
        outcome.executions = len(self.world.executions.all())
        return outcome


def simulate(seed: int, **options: Any) -> Outcome:
    """Play one seed; see Simulation."""
    return Simulation(seed, **options).run()
