"""A release whose parser refuses snapshots that the release before it stored."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from functions.domain.audit import Deed
from functions.domain.execution.execution import Execution
from functions.ports import Ports
from functions.ports.executions import ExecutionStore


def refusing(ports: Ports, refused: Collection[str]) -> Ports:
    """Return ports that cannot read the snapshots of the named executions. The stored snapshots do not change."""
    return replace(ports, executions=_Refusing(ports.executions, refused))


class _Refusing:
    """An ExecutionStore that returns snapshots which no parser accepts."""

    def __init__(self, store: ExecutionStore, refused: Collection[str]) -> None:
        self._store, self._refused = store, refused

    def __getattr__(self, method: str) -> Any:
        return getattr(self._store, method)

    def get(self, execution_id: str) -> Execution | None:
        execution = self._store.get(execution_id)
        return execution and self._seen(execution)

    def change(
        self, execution_id: str, change: Callable[[Execution], Execution], deed: Deed | None = None
    ) -> Execution:
        @wraps(change)
        def seen(execution: Execution) -> Execution:
            return replace(change(self._seen(execution)), recipe=execution.recipe)

        return self._seen(self._store.change(execution_id, seen, deed))

    def unfinished(self) -> Sequence[Execution]:
        return [self._seen(execution) for execution in self._store.unfinished()]

    def search(self, *args: Any, **options: Any) -> Sequence[Execution]:
        return [self._seen(execution) for execution in self._store.search(*args, **options)]

    def _seen(self, execution: Execution) -> Execution:
        if execution.id not in self._refused:
            return execution
        schedule = {**execution.recipe["schedule"], "frequency": "as of old"}
        return replace(execution, recipe={**execution.recipe, "schedule": schedule})
