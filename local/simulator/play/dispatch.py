"""Deliveries of Cloud Tasks and Cloud Scheduler: twice, late, never, with lost answers and bodies of old releases."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from functions.ports.queue import Clock
from local.embedded.delivery import Delivery
from local.embedded.fire import Fire
from local.embedded.response import Response
from local.memory.queue import MemoryTaskQueue
from local.memory.schedules import MemorySchedules
from local.simulator.play.chance import Chance
from local.simulator.play.faults import DELIVERY, FIRES, THROTTLED, Rates

_NO_ANSWER = Response(status=0)


class Runs(Protocol):
    """Where requests run: the simulation."""

    chance: Chance
    rates: Rates

    def at(self, instant: datetime, happens: Callable[[], None]) -> None:
        """Schedule something for an instant."""
        ...

    def start(
        self,
        name: str,
        work: Callable[[], Any],
        settle: Callable[[Any], None],
        *,
        deadline: datetime | None = None,
    ) -> None:
        """Start a request."""
        ...

    def call(self, name: str, function: str, headers: dict[str, str], body: Any) -> Response:
        """Post a request to a function."""
        ...


class Dispatch:
    """Takes what is due from the queue and the scheduler, and starts one request for it, or two, or none."""

    def __init__(self, runs: Runs, queue: MemoryTaskQueue, schedules: MemorySchedules, clock: Clock) -> None:
        self._runs, self._queue, self._schedules, self._clock = runs, queue, schedules, clock
        self._deliveries, self._fires = runs.rates.among(DELIVERY), runs.rates.among(FIRES)
        self._throttles, self._throttled_until = runs.rates.among(THROTTLED), clock.now()

    def next_at(self) -> datetime | None:
        """Return when the next task or fire is due, or None."""
        task_at = self._queue.next_at()
        if task_at is not None and self._throttled(task_at):
            task_at = self._throttled_until
        return min((at for at in (task_at, self._schedules.next_at()) if at), default=None)

    def due(self, now: datetime) -> None:
        """Start all that is due."""
        while (fire := self._schedules.take(now)) is not None:
            self._fire(fire)
        while not self._throttled(now) and (delivery := self._queue.take(now)) is not None:
            self._deliver(delivery)

    def strike(self, kind: str, name: str, place: str) -> None:
        """Deliver a task late or early, or lose it."""
        between = self._runs.chance.between
        if kind == "task_lost":
            self._queue.lose(name)
        elif kind == "task_late":
            self._queue.postpone(name, timedelta(seconds=round(between(f"{place}:how", 30, 1_200))))
        else:
            self._queue.postpone(name, -timedelta(seconds=round(between(f"{place}:how", 1, 59))))

    def _throttled(self, now: datetime) -> bool:
        return self._runs.chance.active and now < self._throttled_until

    def _throttle(self, name: str) -> None:
        """Let no task of the queue start for some minutes, as after many answers 429 or 503."""
        if self._runs.chance.fault(f"{name}/queue", self._throttles):
            seconds = round(self._runs.chance.between(f"{name}/queue:how", 10, 300))
            self._throttled_until = self._clock.now() + timedelta(seconds=seconds)

    def _fire(self, fire: Fire) -> None:
        name = f"{fire.job.name}@{fire.schedule_time:%d-%H:%M}#{fire.attempt}"
        kind = self._runs.chance.fault(name, self._fires)
        if kind == "fire_never":
            self._schedules.settle(fire, 200)
            return
        begin = partial(self._begin, name, fire, lambda answer: self._schedules.settle(fire, answer.status))
        if kind == "fire_late":
            seconds = round(self._runs.chance.between(f"{name}:how", 20, 1_800))
            self._runs.at(self._clock.now() + timedelta(seconds=seconds), begin)
        else:
            begin()
        if kind == "fire_twice":
            self._again(name, fire)

    def _deliver(self, delivery: Delivery) -> None:
        name = f"{delivery.task.name.partition('-')[2]}#{delivery.attempt}"
        kind = self._runs.chance.fault(name, self._deliveries)
        body = delivery.body
        if kind == "old_payload":
            old = {key: value for key, value in body.items() if key != "generation"}
            body = self._runs.chance.pick(f"{name}:how", (old, {**body, "attempt": 1}))

        def settle(answer: Response) -> None:
            given = _NO_ANSWER if kind == "lost_response" else answer
            self._queue.settle(delivery, given.status, given.retry_after)
            self._throttle(name)

        self._begin(name, delivery, settle, body=body)
        if kind == "delivered_twice":
            self._again(name, delivery)
        elif kind == "delivered_again":
            seconds = round(self._runs.chance.between(f"{name}:how", 1, 1_500))
            self._runs.at(self._clock.now() + timedelta(seconds=seconds), partial(self._again, name, delivery))

    def _again(self, name: str, work: Delivery | Fire) -> None:
        self._begin(f"{name}'", work, lambda _: None)

    def _begin(
        self, name: str, work: Delivery | Fire, settle: Callable[[Response], None], *, body: Any = None
    ) -> None:
        call = partial(self._runs.call, name, work.function, work.headers(), work.body if body is None else body)
        deadline = work.deadline
        self._runs.start(name, call, lambda answer: settle(answer or _NO_ANSWER), deadline=deadline)
