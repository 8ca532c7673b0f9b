"""An execution: one run of a recipe for one send time, and the table of states it may pass through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from functions.domain.delivery import Tally
from functions.domain.errors import NotPossible
from functions.domain.instants import instant, stamp
from functions.domain.timeline import Phase


class Kind(StrEnum):
    """Why an execution was started: by its recipe's schedule, or by somebody's hand; a test ends after the tests.

    A one-off has no recipe, but one push and an audience that somebody has sent along.
    """

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    TEST = "test"
    ONE_OFF = "one_off"


class State(StrEnum):
    """Where an execution stands; the last six are final."""

    LAUNCHED = "launched"
    AUDIENCE_READY = "audience_ready"
    TESTED = "tested"
    LIVE = "live"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more will be sent."""
        return not TRANSITIONS[self]


_BEFORE_LIVE = {State.CANCELLED, State.BLOCKED, State.EXPIRED, State.STOPPED, State.FAILED}

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.LAUNCHED: frozenset({State.AUDIENCE_READY} | _BEFORE_LIVE),
    State.AUDIENCE_READY: frozenset({State.TESTED, State.LIVE} | _BEFORE_LIVE),
    State.TESTED: frozenset({State.LIVE, State.COMPLETED} | _BEFORE_LIVE),
    State.LIVE: frozenset({State.COMPLETED, State.STOPPED, State.FAILED}),
    State.COMPLETED: frozenset(),
    State.CANCELLED: frozenset(),
    State.BLOCKED: frozenset(),
    State.EXPIRED: frozenset(),
    State.STOPPED: frozenset(),
    State.FAILED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class PhaseTimes:
    """When a phase really started and ended; None: not yet, or never."""

    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Execution:
    """The state of one run, beside an immutable snapshot of its recipe.

    `claim` is the nonce of the request that created it: a create that landed although its answer was lost is
    recognised by it. `totals` are what became of all users of its live audiences, once it is cleaned up.
    `people` are the different users of all its audiences, each once, counted when they are built; `people_reached`
    those who were sent at least one live push, counted at the end. None: not counted, as by older releases. `number`
    is the store's own: it counts up in the order in which executions were created, whatever clocks say.
    """

    id: str
    recipe_id: str
    recipe: Mapping[str, Any]
    send_at: datetime
    created_at: datetime
    claim: str
    kind: Kind = Kind.SCHEDULED
    state: State = State.LAUNCHED
    reason: str = ""
    phases: Mapping[Phase, PhaseTimes] = field(default_factory=dict)
    cleaned: bool = False
    totals: Tally | None = None
    people: int | None = None
    people_reached: int | None = None
    number: int = field(default=0, compare=False)

    @property
    def went_live(self) -> bool:
        """Whether its live phase has begun, so that people may have got a push."""
        return Phase.LIVE_EXECUTION in self.phases

    def created_before(self, other: "Execution") -> bool:
        """Say whether this one was created first. The creator of the other one has seen it, if it looked since."""
        return (self.number, self.id) < (other.number, other.id)

    def started(self, phase: Phase, at: datetime) -> "Execution":
        """Record that a phase began; the first time counts."""
        times = self.phases.get(phase, PhaseTimes())
        return self._with(phase, times if times.started_at else replace(times, started_at=at))

    def ended(self, phase: Phase, at: datetime) -> "Execution":
        """Record that a phase ended; the first time counts."""
        times = self.phases.get(phase, PhaseTimes())
        return self._with(phase, times if times.ended_at else replace(times, ended_at=at))

    def _with(self, phase: Phase, times: PhaseTimes) -> "Execution":
        return replace(self, phases={**self.phases, phase: times})

    def to(self, state: State, at: datetime, reason: str = "") -> "Execution":
        """Move to a state; NotPossible where the table does not allow it. A final state ends the open phases."""
        if state not in TRANSITIONS[self.state]:
            raise NotPossible(f"execution {self.id} is {self.state.value}: it can no longer be {state.value}")
        moved = replace(self, state=state, reason=reason)
        if state.final:
            for phase, times in self.phases.items():
                moved = moved if times.started_at is None else moved.ended(phase, at)
        return moved

    def clean(self, totals: Tally, people_reached: int | None = None) -> "Execution":
        """Record that nothing is left to delete, and what became of everybody."""
        return replace(self, cleaned=True, totals=totals, people_reached=people_reached)

    def document(self) -> dict[str, Any]:
        """Return the execution as it is stored."""
        return {
            "id": self.id,
            "recipeId": self.recipe_id,
            "recipe": dict(self.recipe),
            "sendAt": stamp(self.send_at),
            "createdAt": stamp(self.created_at),
            "claim": self.claim,
            "kind": self.kind.value,
            "state": self.state.value,
            "reason": self.reason,
            "phases": {
                phase.value: {"startedAt": stamp(times.started_at), "endedAt": stamp(times.ended_at)}
                for phase, times in self.phases.items()
            },
            "cleaned": self.cleaned,
            "totals": self.totals.document() if self.totals else None,
            "people": self.people,
            "peopleReached": self.people_reached,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Execution":
        """Read what `document` wrote."""
        return cls(
            id=document["id"],
            recipe_id=document["recipeId"],
            recipe=document["recipe"],
            send_at=instant(document["sendAt"]),
            created_at=instant(document["createdAt"]),
            claim=document["claim"],
            kind=Kind(document.get("kind", Kind.SCHEDULED)),
            state=State(document["state"]),
            reason=document["reason"],
            phases={
                Phase(name): PhaseTimes(
                    started_at=_maybe_instant(times["startedAt"]), ended_at=_maybe_instant(times["endedAt"])
                )
                for name, times in document["phases"].items()
            },
            cleaned=document["cleaned"],
            totals=Tally.read(document["totals"]) if document.get("totals") else None,
            people=document.get("people"),
            people_reached=document.get("peopleReached"),
        )


def _maybe_instant(text: str | None) -> datetime | None:
    return None if text is None else instant(text)
