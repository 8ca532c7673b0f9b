"""Calls of Firestore. Only this module repeats a call.

Google's client would repeat calls for up to five minutes.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Self, TypeVar

from google.api_core import exceptions, retry
from google.cloud import firestore

from functions.gcp.trouble import PASSING, translated

T = TypeVar("T")

SERVICE = "Firestore"
_OVER = "transaction"
"""A word in Firestore's INVALID_ARGUMENT for a transaction that is closed or has expired."""
_PATIENCE_SECONDS = 30.0
_NEVER_AGAIN = retry.Retry(predicate=retry.if_exception_type())


def patiently(call: Callable[[], T]) -> T:
    """Repeat a call until it succeeds or fails permanently, for half a minute at most."""
    passing = retry.if_exception_type(*PASSING)
    again = retry.Retry(predicate=passing, initial=0.02, maximum=1.0, multiplier=1.5, timeout=_PATIENCE_SECONDS)
    done: T = again(call)()
    return done


def once() -> dict[str, Any]:
    """Return the options for a single call with a timeout."""
    return {"retry": _NEVER_AGAIN, "timeout": _PATIENCE_SECONDS / 2}


def find(stream: Callable[..., Iterable[T]]) -> list[T]:
    """Return the results of a query; repeat a query that breaks off."""
    with translated(SERVICE):
        return patiently(lambda: list(stream(**once())))


class Transaction(firestore.Transaction):
    """A transaction with one attempt. The library's own would repeat a commit that succeeded."""

    def begin(self) -> Self:
        """Begin it."""
        options: dict[str, Any] = {"read_write": {}}
        self._id = self._call("begin_transaction", options=options).transaction
        return self

    def end(self) -> datetime:
        """Commit it, and return the commit time; Aborted if it has expired or was already committed."""
        try:
            answer = self._call("commit", writes=self._write_pbs, transaction=self._id)
        except exceptions.InvalidArgument as error:
            if _OVER not in str(error).lower():
                raise
            raise exceptions.Aborted(str(error)) from error  # type: ignore[no-untyped-call]
        committed: datetime = answer.write_results[-1].update_time
        return committed

    def undo(self) -> None:
        """Roll it back. If that fails, Firestore does it later."""
        with suppress(exceptions.GoogleAPIError):
            self._call("rollback", transaction=self._id)

    def _call(self, method: str, **request: Any) -> Any:
        client: Any = self._client
        call = getattr(client._firestore_api, method)
        return call(request={"database": client._database_string, **request}, metadata=client._rpc_metadata, **once())


@contextmanager
def transaction(client: firestore.Client) -> Iterator[Transaction]:
    """Begin a transaction, which the caller ends. An exception rolls it back."""
    begun = Transaction(client).begin()
    try:
        yield begun
    except BaseException:
        begun.undo()
        raise
