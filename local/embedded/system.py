"""The embedded system: every port in pure Python, with all state in one folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from audience_jobs.contract import Engine, Job
from audience_jobs.workspace import Workspace
from functions.domain.policy import Policy
from functions.ports import Part, Ports
from functions.ports.images import Images
from functions.ports.people import Channels
from functions.ports.queue import Clock, ScheduledJob
from functions.ports.sending import PushSender
from functions.stores import stores_on
from local.embedded.alerts import FileAlerts, NoChannels
from local.embedded.callers import LocalCallers
from local.embedded.clock import RealClock
from local.embedded.database import Database
from local.embedded.disk import check_space
from local.embedded.files import FolderAudienceFiles
from local.embedded.heartbeat import Heartbeat
from local.embedded.made_secret import made_secret
from local.embedded.outbox import OutboxSender, OutcomeScript
from local.embedded.queue import SqliteTaskQueue
from local.embedded.scheduler import SqliteSchedules
from local.embedded.sqlite_documents import SqliteDocuments

RECONCILE_JOB = ScheduledJob(name="reconcile-tminus", cron="*/5 * * * *", zone="UTC", function="reconcile", body={})
_FORMAT = 3
"""The format of the state, increased with every incompatible change."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedSystem:
    """The ports, and the parts of the runtime that deliver tasks and fire schedules."""

    ports: Ports
    queue: SqliteTaskQueue
    schedules: SqliteSchedules
    database: Database
    heartbeat: Heartbeat

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()


def open_system(
    state: Path,
    *,
    clock: Clock,
    engine: Engine,
    find_job: Callable[[str], Job],
    workspace: Workspace,
    policy: Policy,
    sender: PushSender | None = None,
    script: OutcomeScript | None = None,
    channels: Channels | None = None,
    images: Images | None = None,
    parts: Mapping[str, Part] | None = None,
) -> EmbeddedSystem:
    """Open the system whose state is in a folder, or make a new one there; without a sender it uses an outbox.

    `parts` are further parts that the health check reports.
    """
    state.mkdir(parents=True, exist_ok=True)
    database = Database(state / "tminus.db")
    database.check_format(_FORMAT)
    queue, schedules = SqliteTaskQueue(database, clock), SqliteSchedules(database, clock)
    heartbeat = Heartbeat(clock, RealClock())

    def check_disk() -> None:
        database.check()
        check_space(state)

    dispatcher = Part(check=heartbeat.check, last_worked=heartbeat.last_worked)
    ports = Ports(
        clock=clock,
        **stores_on(SqliteDocuments(database)),
        files=FolderAudienceFiles(state),
        tasks=queue,
        schedules=schedules,
        sender=sender or OutboxSender(state / "outbox.jsonl", clock, script or OutcomeScript(), policy.time_to_live),
        alerts=FileAlerts(state / "alerts.jsonl", clock),
        channels=channels or NoChannels(),
        callers=LocalCallers(),
        engine=engine,
        find_job=find_job,
        workspace=workspace,
        policy=policy,
        images=images,
        scrub=database.scrub,
        user_hash_key=lambda: policy.user_hash_key or made_secret(state / "user-hash.key"),
        parts={
            "disk": Part(check=check_disk),
            "dispatcher": dispatcher,
            "scheduler": dispatcher,
            **(parts or {}),
        },
    )
    return EmbeddedSystem(ports=ports, queue=queue, schedules=schedules, database=database, heartbeat=heartbeat)
