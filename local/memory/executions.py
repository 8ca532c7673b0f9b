"""Executions in memory."""

from collections.abc import Sequence

from functions.domain.execution.execution import Execution
from functions.stores.executions import EXECUTIONS, DocumentExecutionStore
from local.memory.documents import MemoryDocuments


class MemoryExecutionStore(DocumentExecutionStore):
    """Plays ExecutionStore, and shows everything that it holds."""

    def __init__(self, documents: MemoryDocuments) -> None:
        super().__init__(documents)
        self._memory = documents

    def all(self) -> Sequence[Execution]:
        """Return every execution, in the order in which they were created."""
        return list(self._memory.all(EXECUTIONS).values())
