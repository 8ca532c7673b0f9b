"""Show one execution while it runs. Repeated requests are cheap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from functions.domain.documents import fingerprint
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Violation
from functions.domain.execution.violations import write_violation
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import Shard, done_tally
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.reports.execution import ExecutionReport, report_of
from functions.usecases.reports.executions import Waiting, name_of, phase_of, possible_for, seconds_to_send, waiting
from functions.usecases.reports.so_far import among_all
from functions.usecases.timeline.steps import Run, run_or_problem


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How much of the audiences has an outcome, in users."""

    reached: int
    audience_size: int
    percent: float


@dataclass(frozen=True, kw_only=True)
class ExecutionDetail(ExecutionReport):
    """An execution with its phases, pushes, violations, and what people can do to it now.

    `problem` says why this release cannot read it. Fields that come from its recipe are null then.
    """

    recipe_name: str
    kind: Kind
    created_at: datetime
    phase: Phase | None
    seconds_to_send: int | None
    waiting: Waiting | None
    """Why it has not begun although its time has come; null if it does not wait."""
    people: int | None
    """The number of distinct users in all audiences; null before T-30."""
    people_reached: int | None
    """The number of distinct users who were sent at least one push; null before the end."""
    progress: Progress
    possible: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """An execution that was read, with its shards and violations: each is read once, when it is first needed."""

    ports: Ports
    execution: Execution

    @cached_property
    def shards(self) -> Sequence[Shard]:
        """The execution's shards."""
        return self.ports.shards.of(self.execution.id)

    @cached_property
    def violations(self) -> Sequence[Violation]:
        """The execution's violations."""
        return self.ports.violations.of(self.execution.id)

    @cached_property
    def _known(self) -> tuple[Run | None, str]:
        return run_or_problem(self.execution)

    @property
    def run(self) -> Run | None:
        """The execution with its recipe; None if this release cannot read it."""
        return self._known[0]

    @cached_property
    def everyone_sent_to(self) -> bool:
        """Whether it is live and has nothing left to send."""
        if self.execution.state is not State.LIVE:
            return False
        return not among_all(self.ports, self.execution.id, done_tally(self.shards)).not_reached

    @property
    def version(self) -> str:
        """The version that `detail` shows. It equals `version_now` while nothing changes."""
        return self._version(done_tally(self.shards))

    @property
    def version_now(self) -> str:
        """The version, without reading shards or audiences."""
        return self._version(self.ports.shards.progress(self.execution.id))

    def detail(self) -> ExecutionDetail:
        """Return the report of the execution, with its phase, its progress, and what people can do to it."""
        execution = self.execution
        report = report_of(self.ports, execution, self._known, self.shards, self.violations)
        size = report.totals.audience_size
        reached = size - report.totals.not_reached
        return ExecutionDetail(
            **vars(report),
            recipe_name=name_of(execution),
            kind=execution.kind,
            created_at=execution.created_at,
            phase=phase_of(execution),
            seconds_to_send=seconds_to_send(execution, self.ports.clock.now()),
            waiting=waiting(execution),
            people=execution.people,
            people_reached=execution.people_reached,
            progress=Progress(reached=reached, audience_size=size, percent=_percent(reached, size)),
            possible=possible_for(execution),
        )

    def _version(self, progress: Tally) -> str:
        violations = [write_violation(violation) for violation in self.violations]
        return fingerprint([self.execution.document(), progress.document(), violations])


def version_now(ports: Ports, execution: Execution) -> str:
    """Return the version of an execution, without reading its shards or its audiences."""
    return watch_execution(ports, execution).version_now


def watch_execution(ports: Ports, execution: Execution) -> Watched:
    """Return all that can be shown of an execution. Compare `version_now` first: everything else reads the shards."""
    return Watched(ports=ports, execution=execution)


def _percent(reached: int, size: int) -> float:
    return round(100 * reached / size, 1) if size else 0.0
