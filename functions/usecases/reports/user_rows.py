"""One user's rows in the audiences of executions: their outcomes, and their texts with the user's values.

Only one partition of each audience is read, a 256th of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.audience.partition import partition_of, read_rows
from functions.domain.errors import BadAudience, Unreadable
from functions.domain.execution.execution import State
from functions.domain.ids import user_digest
from functions.domain.push.outcomes import NOT_REACHED, Word, word
from functions.domain.push.shard import AudienceFile, PushFiles, Shard
from functions.domain.push.template import Template
from functions.domain.recipe.document import RecipePush
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.timeline.steps import Run, read_run

_MOST_EXECUTIONS = 500
"""How many executions are read, newest first."""


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
    found: list[NotificationShown] = []
    for execution in ports.executions.search(ExecutionSearch(since=since, until=until), most=_MOST_EXECUTIONS):
        try:
            found += _of_run(ports, read_run(execution), user_digest(user_id))
        except Unreadable:
            continue
    return found


def _of_run(ports: Ports, run: Run, digest: bytes) -> Iterator[NotificationShown]:
    shards: Sequence[Shard] | None = None
    for number in range(1, len(run.recipe.pushes) + 1):
        files = ports.shards.push(run.execution.id, number)
        for test in (True, False) if files else ():
            assert files is not None
            for position, row in _rows(ports, files.test if test else files.live, digest):
                shards = ports.shards.of(run.execution.id) if shards is None else shards
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
