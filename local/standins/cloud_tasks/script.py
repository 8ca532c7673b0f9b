"""Faults, decided before the test runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A delivery is repeated `copies` times with the same headers.

    Without `after`, all copies are made at the same instant on separate threads, and the original's answer counts.
    With it, each copy follows the one before after this time; by then the task may be done.
    """

    copies: int = 1
    after: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Delay:
    """A delivery is late; its headers say when it was due."""

    by: timedelta


@dataclass(frozen=True, kw_only=True)
class Reorder:
    """A delivery is late by a random time below `within`, so that deliveries due closer together change places."""

    within: timedelta


@dataclass(frozen=True, kw_only=True)
class LoseResponse:
    """The function runs, but its answer is lost. The queue sees a failure, and delivers again."""


@dataclass(frozen=True, kw_only=True)
class Outlive:
    """A delivery's deadline passes before its function ends, and the function goes on.

    The queue delivers again at the deadline. The old attempt and the new one then run at the same time, and the new
    one's answer counts.
    """


Fault = Duplicate | Delay | Reorder | LoseResponse | Outlive


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of all tasks and jobs, between 0 and 1, whose deliveries have `fault`: all, or the first `times`.

    With `url`, only tasks and jobs whose URL contains it. Shares are independent: one delivery may have several
    faults, and a copy of a delivery can lose its answer too.
    """

    fault: Fault
    of_deliveries: float = 1.0
    url: str = ""
    times: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.of_deliveries <= 1:
            raise ValueError(f"a share of deliveries must be between 0 and 1, got {self.of_deliveries}")


class Landed(Enum):
    """How much of a call happened before it failed."""

    NOTHING = "nothing"
    """The call changed nothing."""
    ALL = "all"
    """The call succeeded, but its answer was lost."""
    UPDATE_FAILED = "update failed"
    """UpdateJob only: the call changed only the state, to UPDATE_FAILED, in which the job does not fire."""


@dataclass(frozen=True, kw_only=True)
class FailedCalls:
    """Calls of a gRPC method, such as CreateTask, that fail.

    After the first `after` calls the next `times` fail, or all if it is None; with `of_calls`, a random share of
    them.
    """

    method: str
    landed: Landed = Landed.NOTHING
    after: int = 0
    times: int | None = 1
    of_calls: float = 1.0
    status: str = "UNAVAILABLE"


@dataclass(frozen=True, kw_only=True)
class Script:
    """Decides the faults. All counts restart when the emulator gets a script.

    The same seed, names and order of calls give the same faults. The first entry of `calls` that applies decides.
    """

    deliveries: Sequence[Share] = ()
    calls: Sequence[FailedCalls] = ()
    seed: int = 0
