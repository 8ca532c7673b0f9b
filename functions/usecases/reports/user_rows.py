"""One user's rows in the audiences of executions: their outcomes, and their texts with the user's values.

Only one partition of each audience is read, a 256th of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.audience.partition import partition_of, read_rows
from functions.domain.errors import BadAudience, Unreadable
from functions.domain.execution.execution import Execution, State
from functions.domain.ids import user_digest
from functions.domain.push.outcomes import NOT_REACHED, Word, word
from functions.domain.push.shard import AudienceFile, PushFiles, Shard
from functions.domain.push.template import Template
from functions.domain.recipe.push_fields import RecipePush
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.timeline.steps import Run, read_run

_MOST_EXECUTIONS = 500
"""How many executions are read, newest first."""
_READ_AT_ONCE = 100
"""Of how many executions the manifests are read in one call."""


@dataclass(frozen=True, kw_only=True)
class NotificationShown:
    """A push that concerned a user, of an execution or of another system, and its outcome.

    `title`, `body` and `deepLink` are as the user got them, or those of the template after the audience was deleted.
    """

    source: str
    layer_id: int
    sent_at: datetime
    execution_id: str | None = None
    recipe_id: str | None = None
    recipe_name: str | None = None
    push: int | None = None
    test: bool
    outcome: Word
    reason: str
    """Why the user was excluded, or why the send ended before it reached the user."""
    execution_status: State | None = None
    title: str | None = None
    body: str | None = None
    deep_link: str | None = None
    name: str | None = None


def rows_of_user(ports: Ports, user_id: str, *, since: datetime, until: datetime) -> list[NotificationShown]:
    """Return the outcomes of a user in all pushes of the executions between two instants.

    Executions whose audiences were deleted, or whose snapshot cannot be read, are skipped.
    """
    executions = ports.executions.search(ExecutionSearch(since=since, until=until), most=_MOST_EXECUTIONS)
    found: list[NotificationShown] = []
    for execution, pushes in _with_audiences(ports, executions):
        try:
            found += _of_execution(ports, execution, pushes, user_digest(user_id))
        except Unreadable:
            continue
    return found


def _with_audiences(ports: Ports, executions: Sequence[Execution]) -> Iterator[tuple[Execution, list[PushFiles]]]:
    """Return the executions that have audiences, with their manifests, before any snapshot is parsed."""
    for start in range(0, len(executions), _READ_AT_ONCE):
        some = executions[start : start + _READ_AT_ONCE]
        wanted = [(execution.id, push) for execution in some for push in _planned_pushes(execution)]
        built: dict[str, list[PushFiles]] = {}
        for files in ports.shards.pushes(wanted):
            if files is not None:
                built.setdefault(files.execution_id, []).append(files)
        yield from ((execution, built[execution.id]) for execution in some if execution.id in built)


def _planned_pushes(execution: Execution) -> Sequence[int]:
    pushes = execution.recipe.get("pushSequence")
    return range(1, len(pushes) + 1) if isinstance(pushes, list) else ()


def _of_execution(
    ports: Ports, execution: Execution, pushes: Sequence[PushFiles], digest: bytes
) -> Iterator[NotificationShown]:
    placed = [
        (files, test, position, row)
        for files in pushes
        for test in (True, False)
        for position, row in _rows(ports, files.test if test else files.live, digest)
    ]
    if not placed:
        return
    run, shards = read_run(execution), ports.shards.of(execution.id)
    for files, test, position, row in placed:
        yield _shown(run, files, test, row, _outcome(files, test, shards, digest, position))


def _rows(ports: Ports, audience: AudienceFile, digest: bytes) -> list[tuple[int, list[str]]]:
    """Return the user's rows with their places in the user's partition."""
    partition = range(partition_of(digest), partition_of(digest) + 1)
    try:
        data = ports.files.read(audience.rows.stored, *audience.rows.index.byte_range(partition))
    except BadAudience:
        return []
    return [(place, row) for place, row in enumerate(read_rows(data)) if user_digest(row[0]) == digest]


def _outcome(files: PushFiles, test: bool, shards: Sequence[Shard], digest: bytes, position: int) -> int:
    partition, audience = partition_of(digest), files.test if test else files.live
    for shard in shards:
        if shard.push == files.push and shard.test is test and partition in shard.partitions:
            before = range(shard.partitions.start, partition)
            return shard.outcomes[(audience.rows.index.rows_in(before) if before else 0) + position]
    return NOT_REACHED


def _shown(run: Run, files: PushFiles, test: bool, row: Sequence[str], code: int) -> NotificationShown:
    outcome = word(code, run.execution.rule_bytes)
    push: RecipePush = run.recipe.pushes[files.push - 1]
    columns = (files.test if test else files.live).rows.index.columns

    def rendered(text: Template) -> str:
        filled = text.renderer(columns)(row)
        return text.source if filled is None else filled

    return NotificationShown(
        source="execution",
        layer_id=push.layer_id,
        sent_at=run.timeline.test_at if test else run.timeline.push_at[files.push - 1],
        execution_id=run.execution.id,
        recipe_id=run.recipe.id,
        recipe_name=run.recipe.name,
        push=files.push,
        test=test,
        outcome=outcome[0],
        reason=outcome[1] or (run.execution.reason if outcome[0] == "not_reached" else ""),
        execution_status=run.execution.state,
        title=rendered(push.title),
        body=rendered(push.body),
        deep_link=rendered(push.deep_link) if push.deep_link else None,
    )
