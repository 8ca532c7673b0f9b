"""Shards of executions, the manifests of pushes, and the sums of finished shards."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from functions.domain.errors import Conflict, Halted
from functions.domain.execution.execution import State
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.retention import expires_with
from functions.stores.documents import Batch, Collection, Documents, Guard, GuardFailed, Overtaken, Place, Query
from functions.stores.executions import EXECUTIONS

_COUNTED = ("sent", "failed", "unknown", "lost")

PUSHES = Collection[PushFiles](
    path="executions/{}/pushes/{}",
    write=PushFiles.document,
    read=lambda document, _: PushFiles.read(document) if document else None,
    fields=lambda files: {"expireAt": expires_with(files.execution_id)},
)
SHARDS = Collection[Shard](
    path="executions/{}/shards/{}",
    write=Shard.document,
    read=lambda document, _: Shard.read(document) if document else None,
    fields=lambda shard: {
        "outcomes": shard.outcomes,
        "leaseUntil": shard.lease_until,
        "expireAt": expires_with(shard.execution_id),
    },
    version=lambda shard: shard.version,
)
PROGRESS = Collection[Mapping[str, int]](
    path="executions/{}/progress/live", write=lambda sums: sums, read=lambda document, _: document
)
"""For each execution, the sum of the tallies of its finished live shards. A back end may compute it on read."""


class DocumentShardStore:
    """Implements ShardStore."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def save_push(self, files: PushFiles) -> None:
        place = PUSHES.at(files.execution_id, files.push)
        self._documents.change([place], lambda batch: batch.write(place, files))

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        return self._documents.get(PUSHES.at(execution_id, push))

    def pushes(self, wanted: Sequence[tuple[str, int]]) -> Sequence[PushFiles | None]:
        return self._documents.get_all([PUSHES.at(execution_id, push) for execution_id, push in wanted])

    def create(self, shard: Shard) -> Shard:
        place = _place(shard)

        def work(batch: Batch) -> Shard:
            stored = batch.read(place)
            if stored is None:
                batch.write(place, shard)
                _count(batch, shard, Tally())
            return stored or shard

        return self._documents.change([place], work)

    def get(self, execution_id: str, key: str) -> Shard | None:
        return self._documents.get(SHARDS.at(execution_id, key))

    def progress(self, execution_id: str) -> Tally:
        sums = self._documents.get(PROGRESS.at(execution_id)) or {}
        excluded = {"all": sums["excluded"]} if sums.get("excluded") else {}
        counted = {name: sums.get(name, 0) for name in _COUNTED}
        return Tally(audience_size=sums.get("rows", 0), excluded=excluded, **counted)

    def under_way(self, now: datetime) -> int:
        return self._documents.count(SHARDS, Query(where=(("leaseUntil", ">", now),)))

    def save(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard conditionally, in one transaction, and return it with its next version.

        Raises Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has
        the version of the given one. That costs one read, of the state, and one write.

        A write that succeeded but whose answer was lost can also end in an error, if the execution is stopped before
        the repetition. `settle` still accepts the shard that was given here.
        """
        written = replace(shard, version=shard.version + 1)
        guard = Guard(place=EXECUTIONS.at(shard.execution_id), field="state", value=only_while.value)
        try:
            self._documents.replace(_place(shard), written, version=shard.version, guard=guard)
        except GuardFailed as error:
            state = error.found or "missing"
            raise Halted(f"execution {shard.execution_id} is {state}, not {only_while.value}") from None
        except Overtaken:
            raise _conflict(shard) from None
        return written

    def settle(self, shard: Shard) -> Shard:
        place = _place(shard)

        def work(batch: Batch) -> Shard:
            stored = batch.read(place)
            if stored is None or (stored.version != shard.version and not batch.left_behind(place, shard.version)):
                raise _conflict(shard)
            written = replace(shard, version=stored.version + 1)
            batch.write(place, written)
            _count(batch, written, stored.tally if stored.done else Tally())
            return written

        return self._documents.change([place], work)

    def of(self, execution_id: str) -> Sequence[Shard]:
        shards = self._documents.find(SHARDS, Query(under=(execution_id,)))
        return sorted(shards, key=lambda shard: (shard.push, shard.test, shard.number))


def _place(shard: Shard) -> Place[Shard]:
    return SHARDS.at(shard.execution_id, shard.key)


def _count(batch: Batch, shard: Shard, before: Tally) -> None:
    """Add a finished live shard's change of outcomes to the execution's progress."""
    if shard.test or not shard.done:
        return
    after, amounts = _sums(shard.tally), _sums(before)
    more = {name: amount - amounts[name] for name, amount in after.items()}
    batch.add(PROGRESS.at(shard.execution_id), more)


def _sums(tally: Tally) -> dict[str, int]:
    counted = {name: getattr(tally, name) for name in _COUNTED}
    return {"rows": tally.audience_size, "excluded": sum(tally.excluded.values()), **counted}


def _conflict(shard: Shard) -> Conflict:
    return Conflict(f"shard {shard.key} of {shard.execution_id} is no longer at version {shard.version}")
