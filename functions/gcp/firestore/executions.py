"""Executions in Firestore, `executions/{id}`, with their pushes, shards, logs and violations below them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast
from uuid import uuid4

from google.api_core.exceptions import FailedPrecondition
from google.api_core.exceptions import NotFound as GoogleNotFound
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.document import DocumentReference

from functions.domain.errors import Conflict, Halted, NotFound
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Violation
from functions.domain.execution.violations import read_violation, write_violation
from functions.domain.instants import instant, stamp
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.gcp.firestore.documents import (
    SERVICE,
    WRITERS,
    Snapshot,
    Unit,
    create,
    find,
    last_written_by,
    once,
    patiently,
    plain,
    read,
    storable,
    transaction,
)
from functions.gcp.firestore.documents import change as change_documents
from functions.gcp.trouble import translated
from functions.ports.executions import ExecutionSearch, LogEntry, Place
from functions.ports.violations import ViolationPlace

V = TypeVar("V")

_OfVersions = dict[tuple[str, str], tuple[int, V]]
"""Of shards, by execution and key: a version, and what is known of it."""
_COUNTED = ("sent", "failed", "unknown", "lost")
_MOST_REMEMBERED = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FirestoreExecutionStore:
    """Plays ExecutionStore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._executions = client.collection("executions")
        self._sends = client.document("settings/sends")

    def create(self, execution: Execution) -> bool:
        """Create an execution; False where another claim has created it before. The only dedup authority."""
        place = _place(self._client, execution.id)
        if create(place, _write(execution)):
            return True
        stored = self.get(execution.id)
        return stored is not None and stored.claim == execution.claim

    def get(self, execution_id: str) -> Execution | None:
        """Return an execution, None where there is none."""
        return _read(read(_place(self._client, execution_id)))

    def change(self, execution_id: str, change: Callable[[Execution], Execution]) -> Execution:
        """Replace an execution in one transaction; what `change` raises, leaves it. NotFound where there is none."""
        place = _place(self._client, execution_id)

        def work(unit: Unit) -> Execution:
            execution = _read(unit.read(place))
            if execution is None:
                raise NotFound(f"execution {execution_id} does not exist")
            changed = change(execution)
            unit.write(place, _write(changed))
            return changed

        return change_documents(self._client, [place], work)

    def unfinished(self) -> Sequence[Execution]:
        """Return the executions that are not final or not yet cleaned up, in the order of their creation."""
        found = self._executions.where(filter=FieldFilter("unfinished", "==", True))
        executions = [execution for each in find(found.stream) if (execution := _read(each))]
        return sorted(executions, key=lambda execution: (execution.number, execution.id))

    def search(
        self, wanted: ExecutionSearch, *, most: int, after: Place | None = None, oldest_first: bool = False
    ) -> Sequence[Execution]:
        """Return at most so many executions in order of their send instants; those that follow the place `after`."""
        direction = firestore.Query.ASCENDING if oldest_first else firestore.Query.DESCENDING
        ordered = (
            self._wanted(wanted).order_by("sendAt", direction=direction).order_by("__name__", direction=direction)
        )
        if after is not None:
            ordered = ordered.start_after({"sendAt": after[0], "__name__": _place(self._client, after[1])})
        return [execution for each in find(ordered.limit(most).stream) if (execution := _read(each))]

    def count(self, wanted: ExecutionSearch) -> int:
        """Return how many executions there are, without reading each of them."""
        count: Any = self._wanted(wanted).count(alias="found")  # its types say that `self` has to be passed
        [[counted]] = find(count.get)
        return int(counted.value)

    def _wanted(self, wanted: ExecutionSearch) -> Any:
        asked = (
            ("recipeId", "==", wanted.recipe_id),
            ("state", "==", wanted.state and wanted.state.value),
            ("sendAt", ">=", wanted.since),
            ("sendAt", "<", wanted.until),
        )
        query: Any = self._executions
        for name, comparison, value in asked:
            if value is not None:
                query = query.where(filter=FieldFilter(name, comparison, value))
        return query

    def accounted_until(self) -> datetime | None:
        """Return up to when all sends are accounted for, as `account_until` was told last; None at first."""
        return _accounted(read(self._sends))

    def account_until(self, at: datetime) -> None:
        """Keep up to when all sends have an execution or count as missed; an earlier instant changes nothing."""

        def work(unit: Unit) -> None:
            kept = _accounted(unit.read(self._sends))
            unit.write(self._sends, {"accountedUntil": stamp(max(at, kept or at))})

        change_documents(self._client, [self._sends], work)


class FirestoreShardStore:
    """Plays ShardStore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._update_times: _OfVersions[datetime] = {}
        self._writers: _OfVersions[str] = {}

    def save_push(self, files: PushFiles) -> None:
        """Keep the manifest of a push."""
        place = _place(self._client, files.execution_id).collection("pushes").document(str(files.push))
        change_documents(self._client, [place], lambda unit: unit.write(place, files.document()))

    def push(self, execution_id: str, push: int) -> PushFiles | None:
        """Return the manifest of a push, None before its audience is built."""
        document = plain(read(_place(self._client, execution_id).collection("pushes").document(str(push))))
        return PushFiles.read(document) if document else None

    def create(self, shard: Shard) -> Shard:
        """Create a shard unless it exists; return the one that is stored."""
        place = self._shard_place(shard.execution_id, shard.key)

        def work(unit: Unit) -> Shard:
            stored = _read_shard(unit.read(place))
            if stored is None:
                unit.write(place, _write_shard(shard))
                self._count(unit, shard, Tally())
            return stored or shard

        return change_documents(self._client, [place], work)

    def get(self, execution_id: str, key: str) -> Shard | None:
        """Return a shard by its key, None where there is none."""
        snapshot = read(self._shard_place(execution_id, key))
        shard = _read_shard(snapshot)
        if shard is not None:
            _keep(self._update_times, shard, snapshot.update_time)
        return shard

    def progress(self, execution_id: str) -> Tally:
        """Return the sum of the tallies of an execution's live shards that are done; exclusions under "all"."""
        sums = plain(read(self._progress_place(execution_id))) or {}
        excluded = {"all": sums["excluded"]} if sums.get("excluded") else {}
        counted = {name: sums.get(name, 0) for name in _COUNTED}
        return Tally(audience_size=sums.get("rows", 0), excluded=excluded, **counted)

    def under_way(self, now: datetime) -> int:
        """Return how many shards of all executions a worker holds now."""
        held = self._client.collection_group("shards").where(filter=FieldFilter("leaseUntil", ">", now))
        count: Any = held.count(alias="held")  # its types say that `self` has to be passed
        [[counted]] = find(count.get)
        return int(counted.value)

    def save(self, shard: Shard, *, only_while: State) -> Shard:
        """Write a shard on condition, in one transaction, and return it with its next version.

        Raises Halted unless the execution is in the state `only_while`, and Conflict unless the stored shard has
        the version of the given one. That costs one read, of the state, and one write: the version is compared by
        the instant at which this process read or wrote it last.

        A write that landed although its answer was lost may end in an error too, where the execution is stopped
        before it is repeated: then `settle_shard` still takes the shard as it was given here.
        """
        execution, place = _place(self._client, shard.execution_id), self._shard_place(shard.execution_id, shard.key)
        written, writer = replace(shard, version=shard.version + 1), uuid4().hex
        content = storable(_write_shard(written)) | {WRITERS: [writer]}
        stored_at = self._stored_at(shard)
        _keep(self._writers, shard, writer)

        def attempt() -> datetime:
            with transaction(self._client) as writing:
                [snapshot] = self._client.get_all([execution], ["state"], writing, **once())
                state = (snapshot.to_dict() or {}).get("state", "missing")
                if state != only_while.value:
                    raise Halted(f"execution {shard.execution_id} is {state}, not {only_while.value}")
                if stored_at is None:
                    raise _conflict(shard)
                writing.update(place, content, option=self._client.write_option(last_update_time=stored_at))
                return writing.end()

        with translated(SERVICE):
            try:
                update_time = patiently(attempt)
            except (FailedPrecondition, GoogleNotFound):
                stored = patiently(lambda: place.get(**once()))
                if not last_written_by(stored, writer):
                    raise _conflict(shard) from None
                update_time = stored.update_time
        _keep(self._update_times, written, update_time)
        self._writers.pop((shard.execution_id, shard.key), None)
        return written

    def settle(self, shard: Shard) -> Shard:
        """Write what is known of a shard whatever the execution's state; Conflict as in `save`."""
        place = self._shard_place(shard.execution_id, shard.key)

        def work(unit: Unit) -> Shard:
            snapshot = unit.read(place)
            stored = _read_shard(snapshot)
            if stored is None or (stored.version != shard.version and not self._left_behind(snapshot, shard)):
                raise _conflict(shard)
            written = replace(shard, version=stored.version + 1)
            unit.write(place, _write_shard(written))
            self._count(unit, written, stored.tally if stored.done else Tally())
            return written

        settled = change_documents(self._client, [place], work)
        self._update_times.pop((shard.execution_id, shard.key), None)
        return settled

    def of(self, execution_id: str) -> Sequence[Shard]:
        """Return all shards of an execution, by push, live before test, by number."""
        found = find(_place(self._client, execution_id).collection("shards").stream)
        shards = [shard for snapshot in found if (shard := _read_shard(snapshot))]
        return sorted(shards, key=lambda shard: (shard.push, shard.test, shard.number))

    def _count(self, unit: Unit, shard: Shard, before: Tally) -> None:
        """Add to the execution's progress what a live shard's outcomes are more than they were, once it is done."""
        if shard.test or not shard.done:
            return
        after, amounts = _sums(shard.tally), _sums(before)
        more = {name: amount - amounts[name] for name, amount in after.items()}
        unit.add(self._progress_place(shard.execution_id), more)

    def _stored_at(self, shard: Shard) -> datetime | None:
        """Return when the version of the shard was written, None where another one is stored."""
        version, at = self._update_times.get((shard.execution_id, shard.key), (-1, None))
        if version == shard.version:
            return at
        snapshot = read(self._shard_place(shard.execution_id, shard.key))
        stored = _read_shard(snapshot)
        return snapshot.update_time if stored and stored.version == shard.version else None

    def _left_behind(self, snapshot: Snapshot, shard: Shard) -> bool:
        """Say whether what is stored has landed although this process failed to save this version of the shard."""
        version, writer = self._writers.get((shard.execution_id, shard.key), (-1, ""))
        return version == shard.version and last_written_by(snapshot, writer)

    def _shard_place(self, execution_id: str, key: str) -> DocumentReference:
        return cast("DocumentReference", _place(self._client, execution_id).collection("shards").document(key))

    def _progress_place(self, execution_id: str) -> DocumentReference:
        return cast("DocumentReference", _place(self._client, execution_id).collection("progress").document("live"))


class FirestoreExecutionLog:
    """Plays ExecutionLog."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._process, self._lines = uuid4().hex[:8], itertools.count()

    def add(self, execution_id: str, entry: LogEntry) -> None:
        """Add a line to an execution's log."""
        name = f"{entry.at:%Y%m%dT%H%M%S%f}-{self._process}-{next(self._lines):06}"
        place = _place(self._client, execution_id).collection("log").document(name)
        document = {"at": entry.at, "phase": entry.phase, "level": entry.level, "message": entry.message}
        create(place, document)

    def of(self, execution_id: str) -> Sequence[LogEntry]:
        """Return an execution's log, oldest line first."""
        found = find(_place(self._client, execution_id).collection("log").order_by("__name__").stream)
        lines = [document for snapshot in found if (document := plain(snapshot))]
        return [LogEntry(**(line | {"at": instant(line["at"])})) for line in lines]


class FirestoreViolationStore:
    """Plays ViolationStore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._recipes_named = False

    def record(self, violation: Violation) -> bool:
        """Keep a violation; False where the same one is kept already."""
        return create(self._violation_place(violation.execution_id, violation.id), _write_violation(violation))

    def of(self, execution_id: str) -> Sequence[Violation]:
        """Return an execution's violations, oldest first."""
        found = find(_place(self._client, execution_id).collection("violations").order_by("at").stream)
        return [read_violation(document) for snapshot in found if (document := plain(snapshot))]

    def unresolved(
        self, *, most: int, recipe_id: str | None = None, after: ViolationPlace | None = None
    ) -> Sequence[Violation]:
        """Return at most so many violations that nobody has resolved, of a recipe or of all, newest first."""
        wanted = self._unresolved()
        if recipe_id is not None:
            self._name_recipes_once()
            wanted = wanted.where(filter=FieldFilter("recipeId", "==", recipe_id))
        newest = _newest_first(wanted)
        if after is not None:
            newest = newest.start_after({"at": after[0], "__name__": self._violation_place(*after[1:])})
        found = find(newest.limit(most).stream)
        return [read_violation(document) for snapshot in found if (document := plain(snapshot))]

    def _name_recipes_once(self) -> None:
        """Store the recipe of open violations that an older release has written without it; once a process."""
        if self._recipes_named:
            return
        for snapshot in find(_newest_first(self._unresolved()).stream):
            if "recipeId" not in (snapshot.to_dict() or {}):
                change_documents(self._client, [snapshot.reference], partial(_name_recipe, snapshot.reference))
        self._recipes_named = True

    def _unresolved(self) -> Any:
        violations: Any = self._client.collection_group("violations")
        return violations.where(filter=FieldFilter("resolved", "==", False))

    def resolve(self, execution_id: str, violation_id: str, at: datetime, by: str) -> Violation:
        """Mark a violation as resolved, in one transaction; whoever was first stays. NotFound where there is none."""
        place = self._violation_place(execution_id, violation_id)

        def work(unit: Unit) -> Violation:
            document = plain(unit.read(place))
            if document is None:
                raise NotFound(f"execution {execution_id} has no violation {violation_id!r}")
            violation = read_violation(document).resolve(at, by)
            unit.write(place, _write_violation(violation))
            return violation

        return change_documents(self._client, [place], work)

    def _violation_place(self, execution_id: str, violation_id: str) -> DocumentReference:
        violations = _place(self._client, execution_id).collection("violations")
        return cast("DocumentReference", violations.document(_name(violation_id)))


def _keep(known: _OfVersions[V], shard: Shard, value: V) -> None:
    """Remember something of a shard's version; of too many shards the first is forgotten."""
    while len(known) >= _MOST_REMEMBERED:
        known.pop(next(iter(known)), None)
    known[(shard.execution_id, shard.key)] = (shard.version, value)


def _place(client: firestore.Client, execution_id: str) -> DocumentReference:
    return client.collection("executions").document(_name(execution_id))


def _name(text: str) -> str:
    """Return a document's name: no name holds a slash."""
    return text.replace("/", "%2F") or "%"


def _write(execution: Execution) -> Mapping[str, Any]:
    """Return the document; instants are Firestore's own, so that it can sort and people can read them."""
    unfinished = not (execution.state.final and execution.cleaned)
    instants = {"sendAt": execution.send_at, "createdAt": execution.created_at}
    return {**execution.document(), **instants, "unfinished": unfinished}


def _read(snapshot: Snapshot) -> Execution | None:
    document = plain(snapshot)
    if not document:
        return None
    return replace(Execution.read(document), number=(snapshot.create_time - _EPOCH) // timedelta(microseconds=1))


def _write_shard(shard: Shard) -> Mapping[str, Any]:
    return {**shard.document(), "outcomes": shard.outcomes, "leaseUntil": shard.lease_until}


def _read_shard(snapshot: Snapshot) -> Shard | None:
    document = plain(snapshot)
    return Shard.read(document) if document else None


def _write_violation(violation: Violation) -> Mapping[str, Any]:
    return {**write_violation(violation), "at": violation.at}


def _name_recipe(place: DocumentReference, unit: Unit) -> None:
    document = plain(unit.read(place))
    if document is not None:
        unit.write(place, _write_violation(read_violation(document)))


def _newest_first(violations: Any) -> Any:
    descending = firestore.Query.DESCENDING
    return violations.order_by("at", direction=descending).order_by("__name__", direction=descending)


def _sums(tally: Tally) -> dict[str, int]:
    counted = {name: getattr(tally, name) for name in _COUNTED}
    return {"rows": tally.audience_size, "excluded": sum(tally.excluded.values()), **counted}


def _conflict(shard: Shard) -> Conflict:
    return Conflict(f"shard {shard.key} of {shard.execution_id} is no longer at version {shard.version}")


def _accounted(snapshot: Snapshot) -> datetime | None:
    """Return the instant that is kept; what somebody has edited by hand counts as none."""
    kept = (plain(snapshot) or {}).get("accountedUntil")
    try:
        return instant(kept) if isinstance(kept, str) else None
    except ValueError:
        return None
