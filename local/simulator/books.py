"""What the contract remembers of a run."""

from collections import defaultdict
from dataclasses import dataclass, field

from functions.domain.execution import Execution, State
from functions.domain.shard import PushFiles


@dataclass
class Watched:
    """What is known of an execution: its state, and the steps at which it went live and ended."""

    execution: Execution
    resend: bool
    layers: tuple[int, ...]
    test_mode: bool
    ended_at_step: int | None = None
    first_files: dict[int, PushFiles] = field(default_factory=dict)
    rows: dict[tuple[int, bool], list[list[str]]] = field(default_factory=dict)
    places: dict[tuple[int, bool], dict[str, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A row whose INTENT was stored: at which step, while the execution was in which state, by whom."""

    step: int
    state: State
    by: str


Row = tuple[str, int, bool, int]
"""An execution, a push, whether it is a test, and the place of a row in the push's file."""
