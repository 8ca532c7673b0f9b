"""The interfaces that use cases need, one module for each kind. Adapters on each runtime implement them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from audience_jobs.contract import Engine, Job
from audience_jobs.workspace import Workspace
from functions.domain.errors import Misconfigured
from functions.domain.policy import Policy
from functions.ports.executions import ExecutionLog, ExecutionStore
from functions.ports.images import Images
from functions.ports.people import Alerts, Callers, Channels
from functions.ports.queue import Clock, Schedules, TaskQueue
from functions.ports.sending import Devices, PushSender
from functions.ports.shards import ShardStore
from functions.ports.stores import (
    AccessLog,
    AlertStore,
    AudienceFiles,
    AuditLog,
    CadenceLedger,
    Expiry,
    RecipeStore,
    RequestKeys,
    SegmentStore,
    TesterStore,
)
from functions.ports.violations import ViolationStore


def _unknown() -> None:
    return None


def _nothing_left() -> None:
    """Do nothing: this database keeps no deleted bytes that a reader of its files could find."""


def _no_key() -> str:
    raise Misconfigured("USER_HASH_KEY", "must be set to erase users: 32 random characters or more, as a secret")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a runtime that the health check covers besides the ports: `check` raises if it does not work."""

    check: Callable[[], object]
    last_worked: Callable[[], datetime | None] = _unknown


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Everything outside the code that a use case can use, on every runtime.

    `scrub` overwrites what the database still holds of deleted values. `user_hash_key` returns the key of the hashes
    by which the audit log names erased users; Misconfigured without one. Without `images` none is looked at.
    """

    clock: Clock
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
    files: AudienceFiles
    tasks: TaskQueue
    schedules: Schedules
    sender: PushSender
    devices: Devices
    alerts: Alerts
    alert_store: AlertStore
    expiry: Expiry
    channels: Channels
    callers: Callers
    engine: Engine
    find_job: Callable[[str], Job]
    workspace: Workspace
    policy: Policy = field(default_factory=Policy)
    parts: Mapping[str, Part] = field(default_factory=dict)
    images: Images | None = None
    scrub: Callable[[], None] = _nothing_left
    user_hash_key: Callable[[], str] = _no_key
