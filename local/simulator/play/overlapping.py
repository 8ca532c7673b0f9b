"""Documents in memory whose changes overlap: one that read what another has changed since begins again.

A change may ask other ports in its middle, so other requests can run there. Firestore lets them, and compares what a
change has read when it commits.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from functions.stores.documents import Batch, Place
from local.memory.documents import MemoryBatch, MemoryDocuments

E = TypeVar("E")
T = TypeVar("T")


class OverlappingDocuments(MemoryDocuments):
    """Implements Documents for requests of which one runs at any moment."""

    def change(self, places: Sequence[Place[Any]], work: Callable[[Batch], T]) -> T:  # noqa: ARG002
        """Let `work` read and write documents until nothing that it read has changed meanwhile."""
        while True:
            batch = _OverlappingBatch(self)
            result = work(batch)
            if batch.overtaken:
                continue
            for write in batch.writes:
                write()
            return result


class _OverlappingBatch(MemoryBatch):
    def __init__(self, documents: MemoryDocuments) -> None:
        super().__init__(documents)
        self._seen: dict[Place[Any], object] = {}

    def read(self, place: Place[E]) -> E | None:
        self._seen.setdefault(place, self._documents.stored(place))
        return super().read(place)

    @property
    def overtaken(self) -> bool:
        """Whether a document that was read is another one now."""
        return any(self._documents.stored(place) is not seen for place, seen in self._seen.items())
