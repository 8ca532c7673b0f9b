"""Firestore as the stores need it: documents that people may have edited, and changes that are sure.

A document is changed by reading it and writing it on condition that nobody has written it since: no locks, and of
many at once one always gets through. A commit that lands may answer UNAVAILABLE all the same. So every write leaves
the name of its writer, beside those of the last writers before it: where a repetition finds its own, the work is
done, and is not done again.

Each call is made once, and made again from here only: Google's client would repeat its own for up to five minutes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Self, TypeVar
from uuid import uuid4

from google.api_core import exceptions, retry
from google.cloud import firestore
from google.cloud.firestore_v1.base_document import DocumentSnapshot
from google.cloud.firestore_v1.document import DocumentReference

from functions.domain.instants import stamp
from functions.gcp.trouble import PASSING, translated

T = TypeVar("T")

Snapshot = DocumentSnapshot[Any]
WRITERS = "_writers"
"""The field that names who wrote a document, the last first."""
SERVICE = "Firestore"
_MOST_WRITERS = 20
_OVER = "transaction"
"""Firestore tells that a transaction is closed or has expired by INVALID_ARGUMENT and this word."""
_PATIENCE_SECONDS = 30.0
_NEVER_AGAIN = retry.Retry(predicate=retry.if_exception_type())
_WRITTEN_MEANWHILE = (exceptions.FailedPrecondition, exceptions.AlreadyExists, exceptions.NotFound)


class Unit:
    """One attempt at a change: what was read, and what is to be written, all of it at once or nothing."""

    def __init__(self, client: firestore.Client, snapshots: Iterable[Snapshot], writer: str) -> None:
        self._client, self._writer = client, writer
        self._snapshots = {snapshot.reference: snapshot for snapshot in snapshots}
        self._batch = client.batch()

    def read(self, reference: DocumentReference) -> Snapshot:
        """Return a document as it was read."""
        return self._snapshots[reference]

    def write(self, reference: DocumentReference, document: Mapping[str, Any]) -> None:
        """Replace a document that was read, unless somebody writes it first."""
        snapshot = self._snapshots[reference]
        content = storable(document) | {WRITERS: [self._writer, *_writers(snapshot)][:_MOST_WRITERS]}
        if not snapshot.exists:
            self._batch.create(reference, content)
            return
        gone = dict.fromkeys((snapshot.to_dict() or {}).keys() - content.keys(), firestore.DELETE_FIELD)
        fields = {self._client.field_path(name): value for name, value in (content | gone).items()}
        self._batch.update(reference, fields, option=_unchanged(snapshot))

    def delete(self, reference: DocumentReference) -> None:
        """Delete a document that was read, unless somebody writes it first."""
        snapshot = self._snapshots[reference]
        if snapshot.exists:
            self._batch.delete(reference, option=_unchanged(snapshot))

    def add(self, reference: DocumentReference, amounts: Mapping[str, int]) -> None:
        """Add to numbers of a document, which begin at 0; it need not have been read."""
        increments = {name: firestore.Increment(amount) for name, amount in amounts.items()}
        self._batch.set(reference, increments, merge=True)

    def commit(self) -> None:
        """Write everything."""
        if len(self._batch):
            self._batch.commit(**once())


class Transaction(firestore.Transaction):
    """A transaction of one attempt. Its calls are made once; the library's own repeats a commit that has landed."""

    def begin(self) -> Self:
        """Begin it."""
        options: dict[str, Any] = {"read_write": {}}
        self._id = self._call("begin_transaction", options=options).transaction
        return self

    def end(self) -> datetime:
        """Commit it, and return when that was; Aborted where it is over, for its age or because it has landed."""
        try:
            answer = self._call("commit", writes=self._write_pbs, transaction=self._id)
        except exceptions.InvalidArgument as error:
            if _OVER not in str(error).lower():
                raise
            raise exceptions.Aborted(str(error)) from error  # type: ignore[no-untyped-call]
        committed: datetime = answer.write_results[-1].update_time
        return committed

    def undo(self) -> None:
        """Roll it back; where even that fails, Firestore does it in a while."""
        with suppress(exceptions.GoogleAPIError):
            self._call("rollback", transaction=self._id)

    def _call(self, method: str, **request: Any) -> Any:
        client: Any = self._client
        call = getattr(client._firestore_api, method)
        return call(request={"database": client._database_string, **request}, metadata=client._rpc_metadata, **once())


@contextmanager
def transaction(client: firestore.Client) -> Iterator[Transaction]:
    """Begin a transaction; its user ends it. Whatever is raised meanwhile rolls it back."""
    begun = Transaction(client).begin()
    try:
        yield begun
    except BaseException:
        begun.undo()
        raise


def change(client: firestore.Client, references: Sequence[DocumentReference], work: Callable[[Unit], T]) -> T:
    """Read documents as they are at one instant, let `work` write some of them, and return its result.

    `work` is run again where somebody else was faster; what it raises leaves everything as it was. Transient where it
    does not get through in half a minute.
    """
    writer = uuid4().hex
    results: list[T] = []

    def attempt() -> T:
        snapshots = list(client.get_all(list(references), **once()))
        if results and any(written_by(snapshot, writer) for snapshot in snapshots):
            return results[0]
        unit = Unit(client, snapshots, writer)
        result = work(unit)
        results[:] = [result]
        try:
            unit.commit()
        except _WRITTEN_MEANWHILE as error:
            raise exceptions.Aborted("somebody else has written it meanwhile") from error  # type: ignore[no-untyped-call]
        return result

    with translated(SERVICE):
        return patiently(attempt)


def patiently(call: Callable[[], T]) -> T:
    """Make a call until it succeeds or fails for good, again for half a minute at most."""
    passing = retry.if_exception_type(*PASSING)
    again = retry.Retry(predicate=passing, initial=0.02, maximum=1.0, multiplier=1.5, timeout=_PATIENCE_SECONDS)
    done: T = again(call)()
    return done


def once() -> dict[str, Any]:
    """Return the options with which the client makes a call once, and does not wait for it for ever."""
    return {"retry": _NEVER_AGAIN, "timeout": _PATIENCE_SECONDS / 2}


def create(reference: DocumentReference, document: Mapping[str, Any]) -> bool:
    """Create a document; False where somebody else has created it before."""
    writer = uuid4().hex
    with translated(SERVICE):
        try:
            patiently(lambda: reference.create(storable(document) | {WRITERS: [writer]}, **once()))
        except exceptions.AlreadyExists:
            return written_by(patiently(lambda: reference.get(**once())), writer)
    return True


def read(reference: DocumentReference) -> Snapshot:
    """Return a document as it is now."""
    with translated(SERVICE):
        return patiently(lambda: reference.get(**once()))


def find(stream: Callable[..., Iterable[T]]) -> list[T]:
    """Return what a query finds; one that breaks off is made anew."""
    with translated(SERVICE):
        return patiently(lambda: list(stream(**once())))


def written_by(snapshot: Snapshot, writer: str) -> bool:
    """Say whether a writer has written a document, be it that others have since."""
    return writer in _writers(snapshot)


def last_written_by(snapshot: Snapshot, writer: str) -> bool:
    """Say whether a document is as a writer left it."""
    return _writers(snapshot)[:1] == [writer]


def plain(snapshot: Snapshot) -> dict[str, Any] | None:
    """Return a document as JSON has it, bytes aside; None where there is none."""
    document = snapshot.to_dict()
    if document is None:
        return None
    return {name: _plain(value) for name, value in document.items() if name != WRITERS}


def storable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with nothing but dicts and lists in it: Firestore's client takes no other containers."""
    return {name: _storable(value) for name, value in document.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return storable(value)
    return [_storable(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """Write as text what only Firestore's console can enter: timestamps, places, references."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, DocumentReference):
        return value.path
    return value if value is None or isinstance(value, (str, int, float, bool, bytes)) else str(value)


def _writers(snapshot: Snapshot) -> list[Any]:
    """Return the last writers of a document, none where a person has made something else of them."""
    written = (snapshot.to_dict() or {}).get(WRITERS)
    return written if isinstance(written, list) else []


def _unchanged(snapshot: Snapshot) -> firestore.WriteOption:
    return firestore.Client.write_option(last_update_time=snapshot.update_time)
