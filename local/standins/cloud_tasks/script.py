"""What goes wrong, decided before the test runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A delivery is made `copies` times more, with the same headers.

    Without `after` all are made at the same instant, on threads of their own, and the original's answer counts.
    Otherwise the copies follow the dispatch at this distance from each other; by then the task may be done.
    """

    copies: int = 1
    after: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Delay:
    """A delivery comes late; its headers say when it was due."""

    by: timedelta


@dataclass(frozen=True, kw_only=True)
class Reorder:
    """A delivery comes late by a random time below `within`, so that those due closer together change places."""

    within: timedelta


@dataclass(frozen=True, kw_only=True)
class LoseResponse:
    """The function runs, but its answer is lost: the queue sees a failure, and delivers again."""


Fault = Duplicate | Delay | Reorder | LoseResponse


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of all tasks and jobs, between 0 and 1, whose deliveries suffer `fault`: all, or the first `times`.

    With `url` only those whose URL contains it. Shares are independent of each other: one delivery may suffer several
    faults, a copy of a delivery also those that lose answers.
    """

    fault: Fault
    of_deliveries: float = 1.0
    url: str = ""
    times: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.of_deliveries <= 1:
            raise ValueError(f"a share of deliveries must be between 0 and 1, got {self.of_deliveries}")


class Landed(Enum):
    """How far a call came that is answered by an error."""

    NOTHING = "nothing"
    """Nothing was changed."""
    ALL = "all"
    """The call did what it should, only its answer was lost."""
    UPDATE_FAILED = "update failed"
    """UpdateJob only: nothing was changed but the state, to UPDATE_FAILED, in which the job does not fire."""


@dataclass(frozen=True, kw_only=True)
class FailedCalls:
    """Calls of a gRPC method, such as CreateTask, that are answered by an error.

    After the first `after` calls, the next `times` fail, all of them where it is None; with `of_calls`, a random
    share of those.
    """

    method: str
    landed: Landed = Landed.NOTHING
    after: int = 0
    times: int | None = 1
    of_calls: float = 1.0
    status: str = "UNAVAILABLE"


@dataclass(frozen=True, kw_only=True)
class Script:
    """Decides what goes wrong; all counts restart when a script is given to the emulator.

    What is random is the same with the same seed, names and order of calls. Of `calls` the first that applies
    decides.
    """

    deliveries: Sequence[Share] = ()
    calls: Sequence[FailedCalls] = ()
    seed: int = 0
