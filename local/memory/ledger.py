"""The cadence ledger in memory."""

from collections.abc import Mapping
from datetime import date

from functions.stores.ledger import DAYS, DocumentCadenceLedger
from local.memory.documents import MemoryDocuments


class MemoryCadenceLedger(DocumentCadenceLedger):
    """Implements CadenceLedger, with access to all days."""

    _documents: MemoryDocuments

    def days(self, partition: int) -> Mapping[date, bytes]:
        """Return all packed days of a partition."""
        return {day: packed for (owner, day), packed in self.all_days().items() if owner == partition}

    def all_days(self) -> Mapping[tuple[int, date], bytes]:
        """Return all packed days by partition and day."""
        return {(keys[0], keys[1]): day.packed for keys, day in self._documents.all(DAYS).items()}  # type: ignore[misc]
