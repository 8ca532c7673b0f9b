"""Check the answers to Cloud Tasks: an answer 200 ends a task, so nothing may still need it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.ports.queue import Task
from local.embedded.response import Response
from local.memory.queue import MemoryTaskQueue
from local.simulator.judge.contract import Contract
from local.simulator.play.refusals import WORDS
from local.simulator.play.workers import Worker

_PATIENCE = timedelta(minutes=30)

Step = tuple[object, ...]


class Answers:
    """Judges each answer with the contract's books, and with the tasks that are in the queue."""

    def __init__(
        self,
        contract: Contract,
        queue: MemoryTaskQueue,
        now: Callable[[], datetime],
        broken: Callable[[str, str], None],
    ) -> None:
        self._contract, self._queue, self._now, self._broken = contract, queue, now, broken
        self._due: dict[Step, datetime] = {}
        self._refused: dict[Step, datetime] = {}
        self._lost: set[Step] = set()
        """Steps of which a task is lost. Its name stays taken, so no other task can follow under it."""

    def observe(self, call: str, args: tuple[Any, ...]) -> None:
        """Note when the step of a new task is due: at the earliest instant that any task of it was meant for."""
        if call == "tasks.add":
            task: Task = args[0]
            step = _step(task.function, task.body)
            self._due[step] = min(task.at, self._due.get(step, task.at))

    def struck(self, kind: str, name: str) -> None:
        """Note a task that the queue is about to lose."""
        if kind == "task_lost":
            self._lost |= {_step(task.function, task.body) for task in self._queue.pending() if task.name == name}

    def given(
        self, function: str, headers: Mapping[str, str], body: Any, answer: Response, worker: Worker | None
    ) -> None:
        """Check the answer to a request."""
        name, known = headers.get("X-CloudTasks-TaskName"), self._contract.watched.get(body.get("executionId"))
        if name is None or known is None:
            return
        step, now, execution = _step(function, body), self._now(), known.execution
        refused = worker is not None and worker.refused
        first = self._refused.setdefault(step, now) if refused else now
        if answer.status != 200 or execution.cleaned or (execution.state.final and function != "finish"):
            return
        if '"result":"refused"' in answer.text:  # a body that no step can read: reconcile replaces the task
            self._lost.add(step)
            return
        if refused and now - first < _PATIENCE and '"gave up"' in answer.text and WORDS in answer.text:
            self._broken(execution.id, f"its {function} was given up although Google may soon allow it")
        if now < self._due.get(step, now) and step not in self._lost and not self._follows(step, name):
            self._broken(execution.id, f"its {function} came before its time, and no task follows it")

    def _follows(self, step: Step, name: str) -> bool:
        pending = self._queue.pending()
        return any(task.name != name and _step(task.function, task.body) == step for task in pending)


def _step(function: str, body: Mapping[str, Any]) -> Step:
    return (function, body.get("executionId"), body.get("push"), body.get("shard"))
