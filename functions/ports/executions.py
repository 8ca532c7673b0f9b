"""Executions with their pushes, shards, logs and violations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Violation
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """A line of an execution's own log, in words that a marketer understands."""

    at: datetime
    phase: str
    level: Level
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
