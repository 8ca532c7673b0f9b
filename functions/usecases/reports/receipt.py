"""The receipt of an execution: the outcome of every user of every push, as a CSV for people."""

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.domain.audience.partition import PARTITIONS, Index, read_rows
from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import RuleBytes, word
from functions.domain.push.shard import PushFiles, Shard, Stored
from functions.ports import Ports
from functions.usecases.dry_run.csv_blocks import csv_blocks
from functions.usecases.timeline.built_pushes import Built, read_built

_HEADER = ("push", "audience", "user_id", "outcome", "reason")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


def write_receipt(ports: Ports, execution_id: str, built: Built) -> Stored | None:
    """Store the receipt of an execution whose shards are all closed; None if no audience was built.

    One row for each user of each push, in the order of the audience file: push, audience, user_id, and `sent`,
    `failed`, `unknown` or `excluded` with its reason, or `not_reached`. Repeating it changes nothing.
    """
    if not built.pushes:
        return None
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "receipt.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(_table(ports, built))
        return ports.files.write_once(receipt_name(execution_id), path)


def export(ports: Ports, execution: Execution) -> Iterator[bytes]:
    """Yield the current lines of an execution's receipt, even while it runs, one block at a time.

    BadAudience after the audiences were deleted.
    """
    yield from csv_blocks(_table(ports, read_built(ports, execution)))


def _table(ports: Ports, built: Built) -> Iterator[tuple[object, ...]]:
    yield _HEADER
    for files in built.pushes:
        mine = [shard for shard in built.live_shards if shard.push == files.push]
        yield from _rows(ports, files, mine, built.rules)


def receipt_name(execution_id: str) -> str:
    """Return the name of an execution's receipt in the store of files."""
    return f"receipts/{execution_id}.csv"


def _rows(ports: Ports, files: PushFiles, shards: Sequence[Shard], rules: RuleBytes) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a push, one shard's range at a time. Users without a shard were not reached."""
    planned = {shard.partitions.start: shard for shard in shards}
    index, first = files.live.rows.index, 0
    while first < PARTITIONS:
        shard = planned.get(first)
        partitions = shard.partitions if shard else _unplanned(ports, index, first, planned)
        outcomes = shard.outcomes if shard else b"." * index.rows_in(partitions)
        data = ports.files.read(files.live.rows.stored, *index.byte_range(partitions))
        for row, code in zip(read_rows(data), outcomes, strict=True):
            yield (files.push, plain(files.audience), plain(row[0]), *word(code, rules))
        first = partitions.stop


def _unplanned(ports: Ports, index: Index, first: int, planned: Collection[int]) -> range:
    """Return partitions from `first` on that have no shard, as many as one read can hold."""
    stop = first + 1
    while stop < PARTITIONS and stop not in planned:
        if index.rows_in(range(first, stop + 1)) > ports.policy.shard_rows:
            break
        stop += 1
    return range(first, stop)


def plain(text: str) -> str:
    """Escape a value that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
