"""The receipt of an execution: what became of every user of every push, as a CSV for people."""

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.domain.delivery import word
from functions.domain.partition import PARTITIONS, Index, read_rows
from functions.domain.shard import PushFiles, Shard, Stored
from functions.ports import Ports
from functions.usecases.steps import Run

_HEADER = ("push", "audience", "user_id", "outcome", "reason")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_receipt(ports: Ports, run: Run) -> Stored | None:
    """Store the receipt of an execution whose shards are all closed; None where no audience was built.

    One row for each user of each push, in the order of the audience file: push, audience, user_id, and `sent`,
    `failed`, `unknown`, `excluded` with its reason, or `not_reached`. Doing it again changes nothing.
    """
    manifests = [ports.executions.push(run.execution.id, push) for push in range(1, len(run.recipe.pushes) + 1)]
    built = [files for files in manifests if files is not None]
    if not built:
        return None
    shards = [shard for shard in ports.executions.shards(run.execution.id) if not shard.test]
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "receipt.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_HEADER)
            for files in built:
                writer.writerows(_rows(ports, files, [shard for shard in shards if shard.push == files.push]))
        return ports.files.write_once(receipt_name(run.execution.id), path)


def receipt_name(execution_id: str) -> str:
    """Return the name of an execution's receipt in the store of files."""
    return f"receipts/{execution_id}.csv"


def _rows(ports: Ports, files: PushFiles, shards: Sequence[Shard]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a push, one shard's range at a time; without a shard nobody was reached."""
    planned = {shard.partitions.start: shard for shard in shards}
    index, first = files.live.rows.index, 0
    while first < PARTITIONS:
        shard = planned.get(first)
        partitions = shard.partitions if shard else _unplanned(ports, index, first, planned)
        outcomes = shard.outcomes if shard else b"." * index.rows_in(partitions)
        data = ports.files.read(files.live.rows.stored, *index.byte_range(partitions))
        for row, code in zip(read_rows(data), outcomes, strict=True):
            yield (files.push, files.audience, _plain(row[0]), *word(code))
        first = partitions.stop


def _unplanned(ports: Ports, index: Index, first: int, planned: Collection[int]) -> range:
    """Return partitions from `first` on that no shard has, as many as one read may hold."""
    stop = first + 1
    while stop < PARTITIONS and stop not in planned:
        if index.rows_in(range(first, stop + 1)) > ports.policy.shard_rows:
            break
        stop += 1
    return range(first, stop)


def _plain(text: str) -> str:
    """Keep a spreadsheet from running a user id as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
