"""The roles that the use cases need somebody to play; adapters on each runtime play them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from audience_jobs.contract import Engine, Job
from functions.domain.alerts import Alert
from functions.domain.audit import AuditEntry, Deed
from functions.domain.cadence import CadenceRule
from functions.domain.delivery import Chunk, Envelope, Outcome, Tally
from functions.domain.execution import Execution, State
from functions.domain.outgoing_alerts import OutgoingAlert
from functions.domain.policy import Policy
from functions.domain.roles import Caller, Service
from functions.domain.safeguards import Violation
from functions.domain.shard import PushFiles, Shard, Stored

T = TypeVar("T")


class Clock(Protocol):
    """The only teller of the time."""

    def now(self) -> datetime:
        """Return the instant it is, aware, in UTC."""
        ...


class RecipeStore(Protocol):
    """Recipe documents, as written; a person may have edited them by hand, so they may be malformed."""

    def get(self, recipe_id: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        ...

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every document, in order of their ids."""
        ...

    def page(self, *, after: str = "", most: int) -> Sequence[dict[str, Any]]:
        """Return at most so many documents, in order of their ids: the first, or those that follow an id."""
        ...

    def change(
        self,
        recipe_id: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        deed: Deed | None = None,
    ) -> dict[str, Any] | None:
        """Replace a document by what `change` makes of it, in one transaction; None stands for no document.

        With a deed, the same transaction adds the recipe's next entry to the audit log, unless there was no document
        and there is none.
        """
        ...


AuditPlace = tuple[datetime, str, int]
"""Where an entry stands among those of all recipes: its instant, its recipe or the rules' name, its number."""


class AuditLog(Protocol):
    """What was done to recipes, rules and graves. Changing recipes and rules adds entries; nothing removes one."""

    def add(self, subject: str, deed: Deed, after: Mapping[str, Any]) -> None:
        """Add an entry about something that is no document of its own: what is said of it is the entry's `after`."""
        ...

    def of_recipe(self, recipe_id: str, *, before: int | None = None, most: int) -> Sequence[AuditEntry]:
        """Return a recipe's newest entries, newest first, at most so many: all, or those numbered before another.

        The entries of a recipe that was deleted stay.
        """
        ...

    def newest(self, *, most: int, after: AuditPlace | None = None) -> Sequence[AuditEntry]:
        """Return entries of all recipes and of the rules, newest first, at most so many: the first, or the next.

        Those that follow the place `after` are the next.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """A line of an execution's own log, in words that a marketer understands."""

    at: datetime
    phase: str
    level: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ExecutionSearch:
    """Which executions to look for: of a recipe, in a state, with a send from `since` until before `until`."""

    recipe_id: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None


Place = tuple[datetime, str]
"""Where an execution stands among others in order of their sends: its send instant, then its id."""
ViolationPlace = tuple[datetime, str, str]
"""Where a violation stands among others in order of time: its instant, its execution, its id."""


def violation_place(violation: Violation) -> ViolationPlace:
    """Return where a violation stands among others."""
    return violation.at, violation.execution_id, violation.id


class ExecutionStore(Protocol):
    """Executions with their pushes, shards, logs and violations."""

    def create(self, execution: Execution) -> bool:
        """Create an execution; False where another claim has created it before. The only dedup authority."""
        ...

    def get(self, execution_id: str) -> Execution | None:
        """Return an execution, None where there is none."""
        ...

    def change(self, execution_id: str, change: Callable[[Execution], Execution]) -> Execution:
        """Replace an execution by what `change` makes of it, in one transaction; what `change` raises, leaves it."""
        ...

    def unfinished(self) -> Sequence[Execution]:
        """Return the executions that are not final or not yet cleaned up, in the order of their creation.

        That order is the store's: whoever asks after `create` finds every execution that was created before.
        """
        ...

    def search(
        self, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
    ) -> Sequence[Execution]:
        """Return at most so many executions in order of their send instants, newest first: the first, or the next.

        Those that follow the place `after` are the next.
        """
        ...

    def count(self, wanted: ExecutionSearch) -> int:
        """Return how many executions there are, without reading each of them."""
        ...

    def save_push(self, files: PushFiles) -> None:
        """Keep the manifest of a push."""
        ...

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        """Return the manifest of a push, None before its audience is built."""
        ...

    def create_shard(self, shard: Shard) -> Shard:
        """Create a shard unless it exists; return the one that is stored."""
        ...

    def shard(self, execution_id: str, key: str) -> Shard | None:
        """Return a shard by its key, None where there is none."""
        ...

    def progress(self, execution_id: str) -> Tally:
        """Return the sum of the tallies of an execution's live shards that are done, without reading each of them.

        Reasons for exclusions are summed up under the key "all".
        """
        ...

    def shards_under_way(self, now: datetime) -> int:
        """Return how many shards of all executions a worker holds now, without reading each of them."""
        ...

    def save_shard(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard on condition, in one transaction, and return it with its next version.

        The hot path: one read, of the execution's state, and one write, on condition of the shard's version. Raises
        Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has
        the version of the given one.
        """
        ...

    def settle_shard(self, shard: Shard) -> Shard:
        """Write what is known of a shard whatever the execution's state; Conflict as in `save_shard`."""
        ...

    def shards(self, execution_id: str) -> Sequence[Shard]:
        """Return all shards of an execution."""
        ...

    def log(self, execution_id: str, entry: LogEntry) -> None:
        """Add a line to an execution's log."""
        ...

    def log_of(self, execution_id: str) -> Sequence[LogEntry]:
        """Return an execution's log, oldest line first."""
        ...

    def accounted_until(self) -> datetime | None:
        """Return up to when all sends are accounted for, as `account_until` was told last; None at first."""
        ...

    def account_until(self, at: datetime) -> None:
        """Keep up to when all sends have an execution or count as missed; an earlier instant changes nothing."""
        ...

    def record(self, violation: Violation) -> bool:
        """Keep a violation; False where the same one is kept already."""
        ...

    def violations(self, execution_id: str) -> Sequence[Violation]:
        """Return an execution's violations, oldest first."""
        ...

    def open_violations(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        """Return at most so many violations that nobody has resolved, of a recipe or of all, newest first.

        The first, or those that follow the place `after`. Without reading each execution, or those that are resolved.
        """
        ...

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        """Mark a violation as resolved, in one transaction, and return it; whoever was first stays.

        NotFound where there is none.
        """
        ...


class RequestKeys(Protocol):
    """What was asked for under which name, so that a request which comes again is known again."""

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:
        """Keep what is asked under a name, until then at least; return what whoever came first has asked under it."""
        ...


class CadenceLedger(Protocol):
    """Who was reserved which push, packed by partition and UTC day, and the rules that it is read by."""

    def transact(
        self,
        partition: int,
        days: Sequence[date],
        change: Callable[[Mapping[date, bytes]], tuple[Mapping[date, bytes], T]],
    ) -> T:
        """Read days, write what `change` makes of them, all in one transaction; return its second value."""
        ...

    def rules(self) -> Sequence[CadenceRule]:
        """Return the rules in force: those that were saved, else the default ones."""
        ...

    def change_rules(
        self, change: Callable[[Sequence[CadenceRule]], Sequence[CadenceRule]], deed: Deed
    ) -> Sequence[CadenceRule]:
        """Replace the rules by what `change` makes of those in force; no rules at all bring the default ones back.

        In one transaction, which adds the entry after the last of `domain.cadence_rules.SUBJECT` to the audit log.
        """
        ...


class AudienceFiles(Protocol):
    """Write-once files: audiences, and the device tokens beside them."""

    def write_once(self, name: str, source: Path) -> Stored:
        """Store a local file under a name; where the name is taken, the file that is there wins and is returned."""
        ...

    def lines(self, stored: Stored) -> Iterator[bytes]:
        """Yield a file's lines with their ends."""
        ...

    def read(self, stored: Stored, start: int, end: int) -> bytes:
        """Return a byte range; BadAudience where the file is no longer the one that was stored."""
        ...

    def delete(self, folder: str) -> None:
        """Delete all files of a folder; nothing happens where there are none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """A request to one of the functions, at an instant; a second task of the same name is dropped."""

    name: str
    function: str
    body: Mapping[str, Any]
    at: datetime


class TaskQueue(Protocol):
    """Delivers tasks at least once, in no order, sometimes late."""

    def add(self, task: Task) -> bool:
        """Add a task; False where its name was used before."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScheduledJob:
    """A cron in a zone that calls a function; `enabled` is False where somebody has paused it by hand."""

    name: str
    cron: str
    zone: str
    function: str
    body: Mapping[str, Any]
    enabled: bool = True


class Schedules(Protocol):
    """The scheduler's jobs, one a name."""

    def put(self, job: ScheduledJob) -> None:
        """Create a job or replace the one of its name, and let it run; ValueError for a cron that means nothing."""
        ...

    def delete(self, name: str) -> None:
        """Delete a job; nothing happens where there is none."""
        ...

    def all(self) -> Sequence[ScheduledJob]:
        """Return all jobs."""
        ...


class PushSender(Protocol):
    """Sends messages, each in at most one request; nothing in it retries by itself."""

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Send chunks, and yield the number of each with an outcome for each of its messages, once all are known.

        Takes a chunk only when it may start at once, and may have several under way, which it yields in the order
        in which they end. Every chunk that was taken is yielded before anything is raised: QuotaExceeded where the
        receiver asks for fewer requests, Transient where it cannot be reached, Misconfigured where it will take no
        message until somebody changes something.
        """
        ...


@runtime_checkable
class AskableSender(Protocol):
    """A sender that can say afterwards what has left, as an outbox can; FCM cannot, so that doubt stays doubt."""

    def ask(self, envelope: Envelope) -> Mapping[str, Outcome]:
        """Return what became of each user's message of a push that has, or may have, left; the others got none.

        Nothing that a sender before this call has taken of the push leaves after it.
        """
        ...


class Devices(Protocol):
    """What is known of device tokens beyond the user database, packed as `domain.dead_tokens` says."""

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        """Return the dead tokens of partitions of users; empty bytes where there are none."""
        ...

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Replace a partition's dead tokens by what `change` makes of them, in one transaction."""
        ...


class Alerts(Protocol):
    """Writes alerts down where this deployment's people look; it never fails what it tells about."""

    def send(self, alert: Alert) -> None:
        """Write an alert down."""
        ...


class AlertStore(Protocol):
    """Alerts on their way to channels, and those that have arrived, for ninety days at least."""

    def record(self, outgoing: OutgoingAlert) -> bool:
        """Keep an alert; False where one of its id is kept already."""
        ...

    def change(self, alert_id: str, change: Callable[[OutgoingAlert], OutgoingAlert]) -> OutgoingAlert:
        """Replace an alert by what `change` makes of it, in one transaction; what `change` raises, leaves it.

        NotFound where there is none.
        """
        ...

    def waiting(self, quiet_since: datetime) -> Sequence[OutgoingAlert]:
        """Return the alerts that some channel is still to get, and that nobody has tried since then, oldest first."""
        ...


class Channels(Protocol):
    """Web addresses by the names of channels."""

    def post(self, channel: str, payload: Mapping[str, Any]) -> None:
        """Post JSON to a channel, in one request that takes some seconds at most; no redirect is followed.

        Transient where it may be taken later, QuotaExceeded where the channel says when; Refused where it never will
        be, and Misconfigured where nobody has said what the channel's address is.
        """
        ...


class Callers(Protocol):
    """Knows who calls by the header Authorization of the request, or by what a proxy asserts.

    Unauthenticated where nobody vouches for the caller, Transient where that cannot be found out now. What they say
    holds nothing of the token.
    """

    def check_service(self, authorization: str | None, service: Service, function: str) -> None:
        """Raise Forbidden unless the caller is the account by which a service calls a function."""
        ...

    def person(self, authorization: str | None, function: str) -> Caller:
        """Return the person or program that calls a function, with its role; Forbidden where it has none."""
        ...

    def visitor(self, assertion: str | None) -> Caller:
        """Return the person who visits the console, by what the proxy before it asserts; Forbidden as `person`."""
        ...


def _unknown() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a runtime that health asks about beside the ports: `check` raises where the part does not work."""

    check: Callable[[], object]
    last_worked: Callable[[], datetime | None] = _unknown


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Everything that a use case may reach, on whichever runtime it runs."""

    clock: Clock
    recipes: RecipeStore
    audit: AuditLog
    executions: ExecutionStore
    request_keys: RequestKeys
    ledger: CadenceLedger
    files: AudienceFiles
    tasks: TaskQueue
    schedules: Schedules
    sender: PushSender
    devices: Devices
    alerts: Alerts
    alert_store: AlertStore
    channels: Channels
    callers: Callers
    engine: Engine
    find_job: Callable[[str], Job]
    policy: Policy = field(default_factory=Policy)
    parts: Mapping[str, Part] = field(default_factory=dict)
