"""Executions in memory."""

from collections.abc import Sequence

from functions.domain.execution.execution import Execution
from functions.stores.executions import EXECUTIONS, DocumentExecutionStore
from local.memory.documents import MemoryDocuments


class MemoryExecutionStore(DocumentExecutionStore):
    """Implements ExecutionStore, with access to all executions."""

    _documents: MemoryDocuments

    def all(self) -> Sequence[Execution]:
        """Return every execution, in the order in which they were created."""
        return list(self._documents.all(EXECUTIONS).values())
