"""Show executions to people: in lists, and one while it runs, cheap to ask for again and again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.domain.documents import fingerprint
from functions.domain.errors import NotFound
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Violation
from functions.domain.instants import stamp
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import Shard, done_tally
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch, LogEntry, Place
from functions.usecases.reports.execution import report_of

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of executions as JSON has them; `next` is the place behind which the next page begins, None: no more."""

    executions: Sequence[Mapping[str, Any]]
    next: Place | None
    total: int


def find_executions(
    ports: Ports,
    wanted: ExecutionSearch,
    *,
    most: int,
    after: Place | None = None,
    oldest_first: bool = False,
) -> Found:
    """Return a page of executions in order of their sends; NotFound for a recipe that neither is nor was."""
    found = ports.executions.search(wanted, most=most + 1, after=after, oldest_first=oldest_first)
    if not found and wanted.recipe_id is not None:
        _check_known(ports, wanted.recipe_id)
    page, now = found[:most], ports.clock.now()
    return Found(
        executions=[summary(execution, now) for execution in page],
        next=(page[-1].send_at, page[-1].id) if len(found) > most else None,
        total=ports.executions.count(wanted),
    )


def _check_known(ports: Ports, recipe_id: str) -> None:
    if ports.recipes.get(recipe_id) is not None:
        return
    if not ports.executions.search(ExecutionSearch(recipe_id=recipe_id), most=1):
        raise NotFound(f"there is no recipe {recipe_id!r}, and there was none that has sent")


def summary(execution: Execution, now: datetime) -> dict[str, Any]:
    """Return what a list says of an execution; `totals` are there once it is cleaned up."""
    return {
        "executionId": execution.id,
        "recipeId": execution.recipe_id,
        "recipeName": str(execution.recipe.get("name") or execution.recipe_id),
        "kind": execution.kind.value,
        "status": execution.state.value,
        "reason": execution.reason,
        "sendAt": stamp(execution.send_at),
        "createdAt": stamp(execution.created_at),
        "phase": phase_of(execution),
        "secondsToSend": _seconds_to_send(execution, now),
        "waiting": _waiting(execution),
        "totals": execution.totals.document() if execution.totals else None,
        "people": execution.people,
        "peopleReached": execution.people_reached,
    }


def _waiting(execution: Execution) -> dict[str, Any] | None:
    """Return what an execution waits for that waits its turn, None for every other."""
    wait = execution.waiting
    return {**wait.document(), "message": wait.message} if wait else None


def phase_of(execution: Execution) -> str | None:
    """Return the phase that an execution is in, None where it is in none: not yet, or no more."""
    begun = [
        phase for phase, times in execution.phases.items() if times.started_at is not None and times.ended_at is None
    ]
    return max(begun, key=list(Phase).index).value if begun else None


def _seconds_to_send(execution: Execution, now: datetime) -> int | None:
    """Return the countdown to T-0; None once it is over, or will not come."""
    if execution.state.final or execution.state is State.LIVE or now >= execution.send_at:
        return None
    return (execution.send_at - now) // _SECOND


@dataclass(frozen=True, kw_only=True)
class Watched:
    """An execution as it was read at one time: its document and its `version` say the same."""

    ports: Ports
    execution: Execution
    shards: Sequence[Shard]
    violations: Sequence[Violation]

    @property
    def version(self) -> str:
        """The name of this state of things: that of `version_now` while nothing changes."""
        return _version(self.execution, done_tally(self.shards), self.violations)

    def document(self) -> dict[str, Any]:
        """Return the report of the execution, with where it stands, what may be done to it, and how far it is."""
        told = report_of(self.ports, self.execution, self.shards, self.violations)
        size, totals = told["totals"]["audienceSize"], told["totals"]
        reached = size - totals["notReached"]
        return {
            **told,
            **summary(self.execution, self.ports.clock.now()),
            "totals": totals,
            "progress": {"reached": reached, "audienceSize": size, "percent": _percent(reached, size)},
            "possible": possible_for(self.execution),
        }


def version_now(ports: Ports, execution: Execution) -> str:
    """Return the name of the state that an execution is in now, without reading its shards or its audiences."""
    return _version(execution, ports.shards.progress(execution.id), ports.violations.of(execution.id))


def watch_execution(ports: Ports, execution: Execution) -> Watched:
    """Return all that can be shown of an execution. This reads its shards: ask for `version_now` first."""
    return Watched(
        ports=ports,
        execution=execution,
        shards=ports.shards.of(execution.id),
        violations=ports.violations.of(execution.id),
    )


def _version(execution: Execution, progress: Tally, violations: Sequence[Violation]) -> str:
    return fingerprint([execution.document(), progress.document(), [each.document() for each in violations]])


def execution_of(ports: Ports, recipe_id: str, execution_id: str) -> Execution:
    """Return an execution of a recipe; NotFound where the recipe has none of that id."""
    execution = ports.executions.get(execution_id)
    if execution is None or execution.recipe_id != recipe_id:
        raise NotFound(f"recipe {recipe_id!r} has no execution {execution_id!r}")
    return execution


def log_of_execution(ports: Ports, recipe_id: str, execution_id: str) -> list[dict[str, Any]]:
    """Return an execution's log as JSON has it, oldest line first."""
    execution = execution_of(ports, recipe_id, execution_id)
    return [_line(entry) for entry in ports.logs.of(execution.id)]


def possible_for(execution: Execution) -> list[str]:
    """Return what people can do to an execution now."""
    if execution.state.final:
        return []
    return ["emergency_stop"] if execution.state is State.LIVE else ["cancel", "emergency_stop"]


def _line(entry: LogEntry) -> dict[str, Any]:
    return {"at": stamp(entry.at), "phase": entry.phase, "level": entry.level, "message": entry.message}


def _percent(reached: int, size: int) -> float:
    return round(100 * reached / size, 1) if size else 0.0
