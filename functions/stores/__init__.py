"""The stores, written once over a document port that each runtime implements on its own database."""

from typing import TypedDict

from functions.ports.executions import ExecutionLog, ExecutionStore
from functions.ports.sending import Devices
from functions.ports.shards import ShardStore
from functions.ports.stores import (
    AccessLog,
    AlertStore,
    AuditLog,
    CadenceLedger,
    Expiry,
    RecipeStore,
    RequestKeys,
    SegmentStore,
    TesterStore,
)
from functions.ports.violations import ViolationStore
from functions.stores.accesses import DocumentAccessLog
from functions.stores.alerts import DocumentAlertStore
from functions.stores.audit import DocumentAuditLog
from functions.stores.devices import DocumentDevices
from functions.stores.documents import Documents
from functions.stores.executions import DocumentExecutionLog, DocumentExecutionStore
from functions.stores.expiry import DocumentExpiry
from functions.stores.ledger import DocumentCadenceLedger
from functions.stores.recipes import DocumentRecipeStore
from functions.stores.request_keys import DocumentRequestKeys
from functions.stores.segments import DocumentSegments
from functions.stores.shards import DocumentShardStore
from functions.stores.testers import DocumentTesterStore
from functions.stores.violations import DocumentViolationStore


class Stores(TypedDict):
    """The ports that are implemented on documents, by their names in `Ports`."""

    recipes: RecipeStore
    audit: AuditLog
    accesses: AccessLog
    executions: ExecutionStore
    shards: ShardStore
    logs: ExecutionLog
    violations: ViolationStore
    request_keys: RequestKeys
    segments: SegmentStore
    ledger: CadenceLedger
    testers: TesterStore
    devices: Devices
    alert_store: AlertStore
    expiry: Expiry


def stores_on(documents: Documents) -> Stores:
    """Return the stores of a process."""
    return Stores(
        recipes=DocumentRecipeStore(documents),
        audit=DocumentAuditLog(documents),
        accesses=DocumentAccessLog(documents),
        executions=DocumentExecutionStore(documents),
        shards=DocumentShardStore(documents),
        logs=DocumentExecutionLog(documents),
        violations=DocumentViolationStore(documents),
        request_keys=DocumentRequestKeys(documents),
        segments=DocumentSegments(documents),
        ledger=DocumentCadenceLedger(documents),
        testers=DocumentTesterStore(documents),
        devices=DocumentDevices(documents),
        alert_store=DocumentAlertStore(documents),
        expiry=DocumentExpiry(documents),
    )
