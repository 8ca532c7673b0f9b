"""What the contract remembers of a run."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.push.shard import PushFiles


@dataclass
class Watched:
    """What is known of an execution: its state, the steps at which its turn came and it ended, and its closed rows.

    `closed` are the rows of each live shard that no worker will send again. `reasons` are those of the cadence
    rules at its beginning, and `held_back` those for which the ledger refused each user: `other` for a later rule.
    """

    execution: Execution
    resend: bool
    layers: tuple[int, ...]
    test_mode: bool
    reasons: frozenset[str]
    held_back: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    locales: Sequence[str] | None = None
    """The locales of the users who fit the conditions that it began with; None if it began without conditions."""
    went_live: bool = False
    looks: list[bool] = field(default_factory=list)
    """Whether each look at its images found all of them."""
    ended_at_step: int | None = None
    turn_at_step: int | None = None
    closed: dict[str, int] = field(default_factory=dict)
    first_files: dict[int, PushFiles] = field(default_factory=dict)
    rows: dict[tuple[int, bool], list[list[str]]] = field(default_factory=dict)
    places: dict[tuple[int, bool], dict[str, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    @property
    def takes_a_place(self) -> bool:
        """Whether it counts against the limit: it has not ended, and has rows left to send."""
        if self.ended_at_step is not None:
            return False
        size = sum(files.live.size for files in self.first_files.values())
        return self.execution.state is not State.LIVE or sum(self.closed.values()) < size

    @property
    def day(self) -> tuple[str, date] | None:
        """The recipe and the local day that only one scheduled send may have; None for other executions."""
        schedule = self.execution.recipe["schedule"]
        if self.execution.kind is not Kind.SCHEDULED or schedule["frequency"] == "custom":
            return None
        return self.execution.recipe_id, self.execution.send_at.astimezone(ZoneInfo(schedule["timezone"])).date()


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A row whose INTENT was stored: the step, the execution's state at that time, and the worker."""

    step: int
    state: State
    by: str


Row = tuple[str, int, bool, int]
"""An execution, a push, whether it is a test, and the place of a row in the push's file."""
