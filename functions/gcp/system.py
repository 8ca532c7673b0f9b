"""The ports on Google Cloud. Each library is loaded and each client made when it is first used, once a process."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from audience_jobs.contract import Engine, Job
from functions.domain.policy import Policy
from functions.gcp.alerts import LogAlerts
from functions.ports import Ports
from functions.ports.executions import ExecutionLog, ExecutionStore
from functions.ports.people import Callers, Channels
from functions.ports.queue import Clock, Schedules, TaskQueue
from functions.ports.sending import Devices, PushSender
from functions.ports.shards import ShardStore
from functions.ports.stores import AlertStore, AudienceFiles, AuditLog, CadenceLedger, RecipeStore, RequestKeys
from functions.ports.violations import ViolationStore
from functions.settings import CloudSettings


def open_ports(
    settings: CloudSettings,
    *,
    clock: Clock,
    make_engine: Callable[[], Engine],
    find_job: Callable[[str], Job],
    policy: Policy,
    sender: PushSender,
    channels: Channels,
) -> Ports:
    """Return the ports of a deployment, or of its stand-ins where the settings name emulators."""
    cloud = _Cloud(settings, clock)
    return Ports(
        clock=clock,
        recipes=cast("RecipeStore", _Lazy(cloud.recipes)),
        audit=cast("AuditLog", _Lazy(cloud.audit)),
        executions=cast("ExecutionStore", _Lazy(cloud.executions)),
        shards=cast("ShardStore", _Lazy(cloud.shards)),
        logs=cast("ExecutionLog", _Lazy(cloud.logs)),
        violations=cast("ViolationStore", _Lazy(cloud.violations)),
        request_keys=cast("RequestKeys", _Lazy(cloud.request_keys)),
        ledger=cast("CadenceLedger", _Lazy(cloud.ledger)),
        files=cast("AudienceFiles", _Lazy(cloud.files)),
        tasks=cast("TaskQueue", _Lazy(cloud.tasks)),
        schedules=cast("Schedules", _Lazy(cloud.schedules)),
        sender=sender,
        devices=cast("Devices", _Lazy(cloud.devices)),
        alerts=LogAlerts(),
        alert_store=cast("AlertStore", _Lazy(cloud.alert_store)),
        channels=channels,
        callers=cast("Callers", _Lazy(cloud.callers)),
        engine=cast("Engine", _Lazy(make_engine)),
        find_job=find_job,
        policy=policy,
    )


class _Lazy:
    """Stands for a port that is made when one of its methods is first called."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    @cached_property
    def _made(self) -> object:
        from functions.gcp.trouble import translated  # noqa: PLC0415

        with translated("Google Cloud"):  # a client that finds no credentials says so when it is made
            return self._make()


class _Cloud:
    """Makes the adapters of one deployment; those on Firestore share a client."""

    def __init__(self, settings: CloudSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    @cached_property
    def _firestore(self) -> Any:
        from google.cloud import firestore  # noqa: PLC0415

        return firestore.Client(project=self._settings.project, database=self._settings.database)

    def recipes(self) -> RecipeStore:
        from functions.gcp.firestore.recipes import FirestoreRecipeStore  # noqa: PLC0415

        return FirestoreRecipeStore(self._firestore)

    def audit(self) -> AuditLog:
        from functions.gcp.firestore.audit import FirestoreAuditLog  # noqa: PLC0415

        return FirestoreAuditLog(self._firestore)

    def callers(self) -> Callers:
        from functions.gcp.auth.id_tokens import IdTokens  # noqa: PLC0415
        from functions.gcp.clock import SystemClock  # noqa: PLC0415

        return IdTokens(self._settings, SystemClock())

    def executions(self) -> ExecutionStore:
        from functions.gcp.firestore.executions import FirestoreExecutionStore  # noqa: PLC0415

        return FirestoreExecutionStore(self._firestore)

    def shards(self) -> ShardStore:
        from functions.gcp.firestore.executions import FirestoreShardStore  # noqa: PLC0415

        return FirestoreShardStore(self._firestore)

    def logs(self) -> ExecutionLog:
        from functions.gcp.firestore.executions import FirestoreExecutionLog  # noqa: PLC0415

        return FirestoreExecutionLog(self._firestore)

    def violations(self) -> ViolationStore:
        from functions.gcp.firestore.executions import FirestoreViolationStore  # noqa: PLC0415

        return FirestoreViolationStore(self._firestore)

    def request_keys(self) -> RequestKeys:
        from functions.gcp.firestore.request_keys import FirestoreRequestKeys  # noqa: PLC0415

        return FirestoreRequestKeys(self._firestore)

    def ledger(self) -> CadenceLedger:
        from functions.gcp.firestore.ledger import FirestoreCadenceLedger  # noqa: PLC0415

        return FirestoreCadenceLedger(self._firestore)

    def devices(self) -> Devices:
        from functions.gcp.firestore.devices import FirestoreDevices  # noqa: PLC0415

        return FirestoreDevices(self._firestore)

    def alert_store(self) -> AlertStore:
        from functions.gcp.firestore.alerts import FirestoreAlertStore  # noqa: PLC0415

        return FirestoreAlertStore(self._firestore)

    def files(self) -> AudienceFiles:
        from google.cloud.storage import Client  # noqa: PLC0415

        from functions.gcp.storage import GcsAudienceFiles  # noqa: PLC0415

        return GcsAudienceFiles(Client(project=self._settings.project), self._settings.bucket)

    def tasks(self) -> TaskQueue:
        from google.cloud import tasks_v2  # noqa: PLC0415
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport  # noqa: PLC0415

        from functions.gcp.tasks import CloudTaskQueue  # noqa: PLC0415

        emulator = self._settings.tasks_emulator
        transport = CloudTasksGrpcTransport(channel=_insecure(emulator)) if emulator else None
        return CloudTaskQueue(tasks_v2.CloudTasksClient(transport=transport), self._settings, self._clock)

    def schedules(self) -> Schedules:
        from google.cloud import scheduler_v1  # noqa: PLC0415
        from google.cloud.scheduler_v1.services.cloud_scheduler import transports  # noqa: PLC0415

        from functions.gcp.scheduler import CloudSchedules  # noqa: PLC0415

        emulator = self._settings.scheduler_emulator
        transport = transports.CloudSchedulerGrpcTransport(channel=_insecure(emulator)) if emulator else None
        return CloudSchedules(scheduler_v1.CloudSchedulerClient(transport=transport), self._settings)


def _insecure(host: str) -> Any:
    import grpc  # noqa: PLC0415

    return grpc.insecure_channel(host)
