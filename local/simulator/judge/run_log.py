"""The results of a run: its log, its breaches, its numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.simulator.play.chance import Injected
from local.simulator.play.faults import WORDS
from local.simulator.proof.call_sites import Site


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A breach of the contract: when, which execution it concerns, and what is wrong."""

    at: datetime
    execution_id: str
    what: str


def kind_of(breach: Breach) -> str:
    """Return a breach's sentence without numbers and names."""
    return " ".join(word for word in breach.what.split() if word.isalpha())


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A line of a run's log; `plain` lines are the ones for people."""

    at: datetime
    who: str
    what: str
    plain: bool = False

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S.%f} {self.who}: {self.what}"


@dataclass(kw_only=True)
class Outcome:
    """The outcome of a run."""

    seed: int
    breaches: list[Breach] = field(default_factory=list)
    log: list[RunLine] = field(default_factory=list)
    injected: list[Injected] = field(default_factory=list)
    sites_called: dict[Site, str] = field(default_factory=dict)
    sites_crashed: set[Site] = field(default_factory=set)
    executions: int = 0
    messages: int = 0
    calls: int = 0

    def text(self) -> str:
        """Return the whole log: the same bytes for the same seed and code."""
        return "".join(f"{line}\n" for line in self.log)


class RunLog:
    """Records what happens, if the run is logged; always records breaches."""

    def __init__(self, outcome: Outcome, now: Callable[[], datetime], *, kept: bool) -> None:
        self._outcome, self._now, self._kept = outcome, now, kept

    def say(self, who: str, what: str, *, plain: bool = False) -> None:
        """Add a line."""
        if self._kept:
            self._outcome.log.append(RunLine(at=self._now(), who=who, what=what, plain=plain))

    def call(self, who: str, call: str, args: tuple[Any, ...], answer: Any) -> None:
        """Add a line about a call of a port, with the new state of an execution or of a shard."""
        if not self._kept:
            return
        if call in ("executions.change", "executions.create"):
            execution = answer if call == "executions.change" else args[0]
            self.say(who, f"{call}: {execution.id} is {execution.state.value}", plain=True)
        elif call in ("shards.save", "shards.settle"):
            done = ", closed" if answer.done else ""
            self.say(who, f"{call}: {answer.key} is {answer.outcomes.decode('latin-1')}{done}", plain=True)
        else:
            self.say(who, call)

    def fault(self, fault: Injected) -> None:
        """Add a line about a fault."""
        self.say("fault", f"{WORDS[fault.kind]} {fault.place}", plain=fault.kind != "preempt")

    def broken(self, execution_id: str, what: str) -> None:
        """Keep a breach, and add a line about it."""
        self._outcome.breaches.append(Breach(at=self._now(), execution_id=execution_id, what=what))
        self.say("BROKEN", f"{execution_id}: {what}", plain=True)
