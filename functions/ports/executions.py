"""Executions, and the log of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from functions.domain.execution.execution import Execution, State


@dataclass(frozen=True, kw_only=True)
class ExecutionSearch:
    """Which executions to look for: of a recipe, in a state, with a send from `since` until before `until`."""

    recipe_id: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None


Place = tuple[datetime, str]
"""Where an execution stands among others in order of their sends: its send instant, then its id."""


class ExecutionStore(Protocol):
    """Executions, and up to when all sends have one."""

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

        That order is the store's: a call after `create` returns every execution that was created before.
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

    def accounted_until(self) -> datetime | None:
        """Return up to when all sends are accounted for, as `account_until` was told last; None at first."""
        ...

    def account_until(self, at: datetime) -> None:
        """Keep up to when all sends have an execution or count as missed; an earlier instant changes nothing."""
        ...


Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """A line of an execution's own log, in words that a marketer understands."""

    at: datetime
    phase: str
    level: Level
    message: str


class ExecutionLog(Protocol):
    """The log of each execution."""

    def add(self, execution_id: str, entry: LogEntry) -> None:
        """Add a line to an execution's log."""
        ...

    def of(self, execution_id: str) -> Sequence[LogEntry]:
        """Return an execution's log, oldest line first."""
        ...
