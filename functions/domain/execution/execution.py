"""An execution: one run of a recipe for one send time, and the table of its states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from functions.domain.documents import described
from functions.domain.errors import NotPossible
from functions.domain.instants import instant, stamp
from functions.domain.push import rule_bytes
from functions.domain.push.outcomes import RuleBytes, Tally
from functions.domain.recipe.timeline import Phase

T = TypeVar("T")


class Kind(StrEnum):
    """Why an execution was started: by its recipe's schedule, or by hand. A TEST ends after the test pushes.

    A one-off has no recipe, but one push and an uploaded audience.
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
        """Whether the execution has ended: it sends nothing more."""
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
    """When a phase actually started and ended; None: not yet, or never."""

    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The wait of an execution for its turn: its beginning, the latest possible start, and the limit.

    The limit is the number of executions that could run at once when the wait began.
    """

    since: datetime
    until: datetime
    limit: int

    @property
    def message(self) -> str:
        """A sentence that says why the execution waits, and how long it can."""
        return (
            f"waits its turn: {self.limit} executions are running, the most at once "
            f"(MAX_EXECUTIONS_AT_ONCE); blocked if its turn has not come by {self.until:%H:%M} UTC"
        )

    def document(self) -> dict[str, Any]:
        """Return the wait as it is stored."""
        return {"since": stamp(self.since), "until": stamp(self.until), "limit": self.limit}

    @classmethod
    def read(cls, document: object) -> "Wait | None":
        """Read what `document` wrote; None if there was no wait, or this release cannot read it."""
        try:
            written: Any = document
            return cls(since=instant(written["since"]), until=instant(written["until"]), limit=int(written["limit"]))
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, kw_only=True)
class Execution:
    """The state of one run, with an immutable snapshot of its recipe.

    `claim` is the nonce of the request that created it. It identifies a create that succeeded although its answer was
    lost. `totals` count the users of all live audiences by outcome, once the execution is cleaned up. `people` is the
    number of distinct users in all audiences, counted when they are built. `people_reached` is the number of those
    who were sent at least one live push, counted at the end. None: not counted, as in older releases. The store sets
    `number`: it increases in the order in which executions were created, independent of clocks. `wait` is the wait
    for its turn, and is kept after the wait; None: it did not wait. `rule_bytes` say what a workspace's cadence rules
    are called in the rows of this execution, as of its beginning.

    `trace` is the id of the trace of the request that created it, if there was one; see `domain.tracing`.

    `unreadable` names the fields of the stored document that this release cannot read, such as a state that only a
    newer release knows. Such an execution counts as failed, so that it sends nothing more.
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
    wait: Wait | None = None
    rule_bytes: RuleBytes = field(default_factory=dict)
    unreadable: str = ""
    trace: str = ""
    number: int = field(default=0, compare=False)

    @property
    def trace_id(self) -> str:
        """The id of the trace of all steps: that of the request that started the execution, else its claim."""
        return self.trace or self.claim

    @property
    def went_live(self) -> bool:
        """Whether the live phase has begun, so that users may have received a push."""
        return Phase.LIVE_EXECUTION in self.phases

    @property
    def waiting(self) -> Wait | None:
        """The wait for its turn, while it lasts. It ends when the audiences are built, or with the execution."""
        return None if self._begun else self.wait

    def waits(self, wait: Wait) -> "Execution":
        """Record that the execution waits for its turn. Only the first call before it has begun counts."""
        return self if self._begun or self.wait else replace(self, wait=wait)

    @property
    def _begun(self) -> bool:
        """Whether building the audiences has begun, or the execution has ended."""
        return self.state is not State.LAUNCHED or Phase.AUDIENCE_GENERATION in self.phases

    def created_before(self, other: "Execution") -> bool:
        """Return whether this execution was created first.

        A process that reads the store after it created the other one sees this one.
        """
        return (self.number, self.id) < (other.number, other.id)

    def started(self, phase: Phase, at: datetime) -> "Execution":
        """Record that a phase began; only the first call counts."""
        times = self.phases.get(phase, PhaseTimes())
        return self._with(phase, times if times.started_at else replace(times, started_at=at))

    def ended(self, phase: Phase, at: datetime) -> "Execution":
        """Record that a phase ended; only the first call counts."""
        times = self.phases.get(phase, PhaseTimes())
        return self._with(phase, times if times.ended_at else replace(times, ended_at=at))

    def _with(self, phase: Phase, times: PhaseTimes) -> "Execution":
        return replace(self, phases={**self.phases, phase: times})

    def to(self, state: State, at: datetime, reason: str = "") -> "Execution":
        """Move to a state; NotPossible if the table does not allow it. A final state ends the open phases."""
        if state not in TRANSITIONS[self.state]:
            raise NotPossible(f"execution {self.id} is {self.state.value}: it can no longer be {state.value}")
        moved = replace(self, state=state, reason=reason)
        if state.final:
            for phase, times in self.phases.items():
                moved = moved if times.started_at is None else moved.ended(phase, at)
        return moved

    def failed_unread(self, at: datetime, reason: str) -> "Execution":
        """End as failed, even if the stored state cannot be read. An execution that has ended stays as it is."""
        if self.state.final and not (self.unreadable and self.state is State.FAILED):
            return self
        open_one = replace(self, state=State.LAUNCHED, unreadable="") if self.unreadable else self
        return open_one.to(State.FAILED, at, reason)

    def clean(self, totals: Tally, people_reached: int | None = None) -> "Execution":
        """Record that cleanup is done, with the totals."""
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
            "wait": self.wait.document() if self.wait else None,
            **({"trace": self.trace} if self.trace else {}),
            **({"ruleBytes": rule_bytes.document(self.rule_bytes)} if self.rule_bytes else {}),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Execution":
        """Read what `document` wrote in this or another release. `unreadable` names what cannot be read."""
        fields = _Fields(document)
        execution = cls(
            id=document["id"],
            recipe_id=document["recipeId"],
            recipe=fields.take("recipe", dict, {}),
            send_at=fields.take("sendAt", instant, _UNKNOWN_INSTANT),
            created_at=fields.take("createdAt", instant, _UNKNOWN_INSTANT),
            claim=document["claim"],
            kind=fields.take("kind", Kind, Kind.SCHEDULED) if "kind" in document else Kind.SCHEDULED,
            state=fields.take("state", State, State.FAILED),
            reason=fields.take("reason", str, ""),
            phases=_phases(document.get("phases")),
            cleaned=document.get("cleaned") is True,
            totals=_totals(document.get("totals")),
            people=_count(document.get("people")),
            people_reached=_count(document.get("peopleReached")),
            wait=Wait.read(document.get("wait")),
            rule_bytes=rule_bytes.read(document.get("ruleBytes")),
            trace=str(document.get("trace") or ""),
        )
        if not fields.unreadable:
            return execution
        return execution.unread(f"this release cannot read {', '.join(fields.unreadable)} of the stored execution")

    def unread(self, why: str) -> "Execution":
        """Return a stored execution as one that this release cannot read: it counts as failed unless it has ended."""
        state = self.state if self.state.final else State.FAILED
        return replace(self, state=state, reason=self.reason or why, unreadable=why)


_UNKNOWN_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)


class _Fields:
    """Reads fields of a stored document, and remembers those that this release cannot read."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.unreadable: list[str] = []

    def take(self, name: str, read: Callable[[Any], T], otherwise: T) -> T:
        """Return a field, converted by `read`; `otherwise` if that fails."""
        try:
            return read(self._document[name])
        except (KeyError, TypeError, ValueError):
            self.unreadable.append(f"{name}, which is {described(self._document.get(name))}")
            return otherwise


_PHASES: Mapping[object, Phase] = {phase.value: phase for phase in Phase}


def _phases(document: object) -> dict[Phase, PhaseTimes]:
    """Return the times of the phases that this release knows."""
    found = {}
    for name, times in document.items() if isinstance(document, Mapping) else ():
        if name in _PHASES and isinstance(times, Mapping):
            started, ended = _maybe_instant(times.get("startedAt")), _maybe_instant(times.get("endedAt"))
            found[_PHASES[name]] = PhaseTimes(started_at=started, ended_at=ended)
    return found


def _maybe_instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else instant(text)
    except (TypeError, ValueError):
        return None


def _count(written: object) -> int | None:
    return written if type(written) is int else None


def _totals(document: Mapping[str, Any] | None) -> Tally | None:
    try:
        return Tally.read(document) if document else None
    except (KeyError, TypeError):
        return None
