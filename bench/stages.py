"""The time of a shard by stage: calls of the ports switch a stopwatch from one stage to the next."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from functions.domain.cadence.rules import CadenceRule
from functions.domain.push.outcomes import Chunk, Envelope, Outcome
from functions.ports import Ports
from functions.ports.sending import PushSender
from functions.ports.stores import CadenceLedger

T = TypeVar("T")

READ, CADENCE, SEND, RECORD = "read and render", "cadence", "send", "record"
STAGES = (READ, CADENCE, SEND, RECORD)
"""The stage `record` covers INTENTs, RESULTs and all other reads and writes of documents."""


class Stopwatch:
    """Adds up seconds by stage; exactly one stage runs at a time."""

    def __init__(self) -> None:
        self._wall: dict[str, float] = defaultdict(float)
        self._processor: dict[str, float] = defaultdict(float)
        self._stage = READ
        self._since = (time.perf_counter(), time.thread_time())

    def turn(self, stage: str) -> str:
        """Begin a stage; return the previous one."""
        now = (time.perf_counter(), time.thread_time())
        ended, self._stage = self._stage, stage
        self._wall[ended] += now[0] - self._since[0]
        self._processor[ended] += now[1] - self._since[1]
        self._since = now
        return ended

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Run a stage inside the context, and the previous one again afterwards."""
        before = self.turn(stage)
        try:
            yield
        finally:
            self.turn(before)

    def take(self, messages: int) -> dict[str, dict[str, float]]:
        """Return microseconds a message by stage since the last call, and restart."""
        self.turn(READ)
        taken = {
            "wall_us": {stage: self._wall[stage] / messages * 1e6 for stage in STAGES},
            "processor_us": {stage: self._processor[stage] / messages * 1e6 for stage in STAGES},
        }
        self._wall.clear()
        self._processor.clear()
        return taken


def watched(ports: Ports, watch: Stopwatch) -> Ports:
    """Return ports whose calls switch the stopwatch. The first stage ends when the ledger's rules are read."""
    ledger: Any = _WatchedLedger(ports.ledger, watch)
    return replace(
        ports,
        executions=_Recorded(ports.executions, watch),
        ledger=ledger,
        sender=_WatchedSender(ports.sender, watch),
    )


class _Recorded:
    """Any port whose calls belong to the stage `record`."""

    def __init__(self, port: Any, watch: Stopwatch) -> None:
        self._port, self._watch = port, watch

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **named: Any) -> Any:
            with self._watch.during(RECORD):
                return method(*arguments, **named)

        return call


class _WatchedLedger:
    def __init__(self, ledger: CadenceLedger, watch: Stopwatch) -> None:
        self._ledger, self._watch = ledger, watch

    def rules(self) -> Sequence[CadenceRule]:
        self._watch.turn(CADENCE)
        return self._ledger.rules()

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        with self._watch.during(CADENCE):
            return self._ledger.transact(partition, days, change)


class _WatchedSender:
    def __init__(self, sender: PushSender, watch: Stopwatch) -> None:
        self._sender, self._watch = sender, watch

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        self._watch.turn(SEND)
        for ended in self._sender.send(envelope, self._taken(chunks)):
            self._watch.turn(RECORD)
            yield ended
            self._watch.turn(SEND)
        self._watch.turn(RECORD)

    def _taken(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        announced = iter(chunks)
        while True:
            with self._watch.during(RECORD):
                chunk = next(announced, None)
            if chunk is None:
                return
            yield chunk
