"""Executions with their pushes, shards, logs and violations, in memory."""

import threading
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from functions.domain.errors import Conflict, Halted, NotFound
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Violation
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.ports.executions import ExecutionSearch, LogEntry, Place
from functions.ports.violations import ViolationPlace, violation_place


class MemoryExecutionStore:
    """Plays ExecutionStore; what is kept is immutable, so it is kept as it comes."""

    def __init__(self) -> None:
        self._executions: dict[str, Execution] = {}
        self._unfinished: dict[str, Execution] = {}
        self._accounted: datetime | None = None
        self._writing = threading.RLock()

    def create(self, execution: Execution) -> bool:
        """Create an execution; False where another claim has created it before. The only dedup authority."""
        with self._writing:
            stored = self._executions.get(execution.id)
            if stored is not None:
                return stored.claim == execution.claim
            self._keep(replace(execution, number=len(self._executions) + 1))
            return True

    def get(self, execution_id: str) -> Execution | None:
        """Return an execution, None where there is none."""
        return self._executions.get(execution_id)

    def change(self, execution_id: str, change: Callable[[Execution], Execution]) -> Execution:
        """Replace an execution in one transaction; what `change` raises, leaves it. NotFound where there is none."""
        with self._writing:
            execution = self._executions.get(execution_id)
            if execution is None:
                raise NotFound(f"execution {execution_id} does not exist")
            changed = change(execution)
            self._keep(changed)
            return changed

    def _keep(self, execution: Execution) -> None:
        self._executions[execution.id] = execution
        if execution.state.final and execution.cleaned:
            self._unfinished.pop(execution.id, None)
        else:
            self._unfinished[execution.id] = execution

    def unfinished(self) -> Sequence[Execution]:
        """Return the executions that are not final or not yet cleaned up, in the order of their creation."""
        return sorted(self._unfinished.values(), key=lambda execution: execution.number)

    def search(
        self, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
    ) -> Sequence[Execution]:
        """Return at most so many executions in order of their send instants; those that follow the place `after`."""
        found = sorted(self._fitting(wanted), key=_place, reverse=not oldest_first)
        if after is not None:
            found = [each for each in found if (_place(each) > after if oldest_first else _place(each) < after)]
        return found[:most]

    def count(self, wanted: ExecutionSearch) -> int:
        """Return how many executions there are."""
        return len(self._fitting(wanted))

    def _fitting(self, wanted: ExecutionSearch) -> list[Execution]:
        return [
            execution
            for execution in self._executions.values()
            if wanted.recipe_id in (None, execution.recipe_id)
            and wanted.state in (None, execution.state)
            and (wanted.since is None or execution.send_at >= wanted.since)
            and (wanted.until is None or execution.send_at < wanted.until)
        ]

    def all(self) -> Sequence[Execution]:
        """Return every execution, in the order in which they were created."""
        return list(self._executions.values())

    def accounted_until(self) -> datetime | None:
        """Return up to when all sends are accounted for, as `account_until` was told last; None at first."""
        return self._accounted

    def account_until(self, at: datetime) -> None:
        """Keep up to when all sends have an execution or count as missed; an earlier instant changes nothing."""
        with self._writing:
            self._accounted = max(at, self._accounted or at)


class MemoryShardStore:
    """Plays ShardStore."""

    def __init__(self, executions: MemoryExecutionStore) -> None:
        self._executions = executions
        self._pushes: dict[tuple[str, int], PushFiles] = {}
        self._shards: dict[str, dict[str, Shard]] = defaultdict(dict)
        self._held: dict[tuple[str, str], datetime] = {}
        self._writing = threading.RLock()

    def save_push(self, files: PushFiles) -> None:
        """Keep the manifest of a push."""
        self._pushes[files.execution_id, files.push] = files

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        """Return the manifest of a push, None before its audience is built."""
        return self._pushes.get((execution_id, push))

    def create(self, shard: Shard) -> Shard:
        """Create a shard unless it exists; return the one that is stored."""
        with self._writing:
            stored = self._shards[shard.execution_id].setdefault(shard.key, shard)
            self._note_lease(stored)
            return stored

    def get(self, execution_id: str, key: str) -> Shard | None:
        """Return a shard by its key, None where there is none."""
        return self._shards[execution_id].get(key)

    def progress(self, execution_id: str) -> Tally:
        """Return the sum of the tallies of an execution's live shards that are done; exclusions under "all"."""
        shards = self._shards[execution_id].values()
        total = sum((shard.tally for shard in shards if shard.done and not shard.test), Tally())
        excluded = sum(total.excluded.values())
        return replace(total, excluded={"all": excluded} if excluded else {})

    def under_way(self, now: datetime) -> int:
        """Return how many shards of all executions a worker holds now."""
        return sum(lease > now for lease in self._held.values())

    def save(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard on condition, in one transaction, and return it with its next version.

        Raises Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has
        the version of the given one.
        """
        with self._writing:
            execution = self._executions.get(shard.execution_id)
            state = execution.state.value if execution else "missing"
            if state != only_while.value:
                raise Halted(f"execution {shard.execution_id} is {state}, not {only_while.value}")
            return self._write_shard(shard)

    def settle(self, shard: Shard) -> Shard:
        """Write what is known of a shard whatever the execution's state; Conflict as in `save`."""
        with self._writing:
            return self._write_shard(shard)

    def _write_shard(self, shard: Shard) -> Shard:
        shards = self._shards[shard.execution_id]
        stored = shards.get(shard.key)
        if stored is None or stored.version != shard.version:
            raise Conflict(f"shard {shard.key} of {shard.execution_id} is no longer at version {shard.version}")
        written = replace(shard, version=shard.version + 1)
        shards[shard.key] = written
        self._note_lease(written)
        return written

    def _note_lease(self, shard: Shard) -> None:
        key = (shard.execution_id, shard.key)
        if shard.lease_until is None:
            self._held.pop(key, None)
        else:
            self._held[key] = shard.lease_until

    def of(self, execution_id: str) -> Sequence[Shard]:
        """Return all shards of an execution, by push, live before test, by number."""
        found = self._shards[execution_id].values()
        return sorted(found, key=lambda shard: (shard.push, shard.test, shard.number))


class MemoryExecutionLog:
    """Plays ExecutionLog."""

    def __init__(self) -> None:
        self._log: dict[str, list[LogEntry]] = defaultdict(list)
        self._writing = threading.RLock()

    def add(self, execution_id: str, entry: LogEntry) -> None:
        """Add a line to an execution's log."""
        with self._writing:
            insort(self._log[execution_id], entry, key=lambda line: line.at)

    def of(self, execution_id: str) -> Sequence[LogEntry]:
        """Return an execution's log, oldest line first."""
        return list(self._log[execution_id])


class MemoryViolationStore:
    """Plays ViolationStore."""

    def __init__(self) -> None:
        self._violations: dict[str, dict[str, Violation]] = defaultdict(dict)
        self._writing = threading.RLock()

    def record(self, violation: Violation) -> bool:
        """Keep a violation; False where the same one is kept already."""
        with self._writing:
            kept = self._violations[violation.execution_id]
            return kept.setdefault(violation.id, violation) is violation

    def of(self, execution_id: str) -> Sequence[Violation]:
        """Return an execution's violations, oldest first."""
        return sorted(self._violations[execution_id].values(), key=lambda violation: violation.at)

    def unresolved(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        """Return at most so many violations that nobody has resolved, of a recipe or of all, newest first."""
        kept = (violation for violations in self._violations.values() for violation in violations.values())
        found = [
            violation
            for violation in kept
            if not violation.resolved
            and recipe_id in (None, violation.recipe_id)
            and (after is None or violation_place(violation) < after)
        ]
        return sorted(found, key=violation_place, reverse=True)[:most]

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        """Mark a violation as resolved; whoever was first stays. NotFound where there is none."""
        with self._writing:
            violation = self._violations[execution_id].get(violation_id)
            if violation is None:
                raise NotFound(f"execution {execution_id} has no violation {violation_id!r}")
            resolved = violation.resolve(at, by)
            self._violations[execution_id][violation_id] = resolved
            return resolved


def _place(execution: Execution) -> Place:
    return execution.send_at, execution.id
