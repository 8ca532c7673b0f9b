"""Deletes what has been kept long enough."""

from datetime import datetime

from functions.stores.accesses import ACCESSES
from functions.stores.alerts import ALERTS
from functions.stores.documents import Documents
from functions.stores.executions import EXECUTIONS, LOGS
from functions.stores.ledger import DAYS
from functions.stores.request_keys import REQUEST_KEYS
from functions.stores.shards import PROGRESS, PUSHES, SHARDS
from functions.stores.violations import VIOLATIONS

_OF_AN_EXECUTION = (SHARDS, PUSHES, PROGRESS, VIOLATIONS, LOGS)


class DocumentExpiry:
    """Implements Expiry."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def delete_execution(self, execution_id: str) -> None:
        for collection in _OF_AN_EXECUTION:
            self._documents.delete_all(collection, (execution_id,))
        place = EXECUTIONS.at(execution_id)
        self._documents.change([place], lambda batch: batch.delete(place))

    def expire(self, now: datetime) -> None:
        for collection in (ACCESSES, ALERTS, REQUEST_KEYS, DAYS):
            self._documents.expire(collection, now)
