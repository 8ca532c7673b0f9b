"""The ports on Google Cloud. Each client is made when it is first used, once a process."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import grpc
from google.cloud import firestore, scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler import transports
from google.cloud.storage import Client
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from audience_jobs.contract import Engine, Job
from functions.domain.policy import Policy
from functions.gcp.alerts import LogAlerts
from functions.gcp.auth.id_tokens import IdTokens
from functions.gcp.clock import SystemClock
from functions.gcp.firestore.alerts import FirestoreAlertStore
from functions.gcp.firestore.audit import FirestoreAuditLog
from functions.gcp.firestore.devices import FirestoreDevices
from functions.gcp.firestore.executions import FirestoreExecutionStore
from functions.gcp.firestore.ledger import FirestoreCadenceLedger
from functions.gcp.firestore.recipes import FirestoreRecipeStore
from functions.gcp.firestore.request_keys import FirestoreRequestKeys
from functions.gcp.scheduler import CloudSchedules
from functions.gcp.storage import GcsAudienceFiles
from functions.gcp.tasks import CloudTaskQueue
from functions.gcp.trouble import translated
from functions.ports import Ports
from functions.ports.executions import ExecutionStore
from functions.ports.people import Callers, Channels
from functions.ports.queue import Clock, Schedules, TaskQueue
from functions.ports.sending import Devices, PushSender
from functions.ports.stores import AlertStore, AudienceFiles, AuditLog, CadenceLedger, RecipeStore, RequestKeys
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
        with translated("Google Cloud"):  # a client that finds no credentials says so when it is made
            return self._make()


class _Cloud:
    """Makes the adapters of one deployment; those on Firestore share a client."""

    def __init__(self, settings: CloudSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    @cached_property
    def _firestore(self) -> firestore.Client:
        return firestore.Client(project=self._settings.project, database=self._settings.database)

    def recipes(self) -> RecipeStore:
        return FirestoreRecipeStore(self._firestore)

    def audit(self) -> AuditLog:
        return FirestoreAuditLog(self._firestore)

    def callers(self) -> Callers:
        return IdTokens(self._settings, SystemClock())

    def executions(self) -> ExecutionStore:
        return FirestoreExecutionStore(self._firestore)

    def request_keys(self) -> RequestKeys:
        return FirestoreRequestKeys(self._firestore)

    def ledger(self) -> CadenceLedger:
        return FirestoreCadenceLedger(self._firestore)

    def devices(self) -> Devices:
        return FirestoreDevices(self._firestore)

    def alert_store(self) -> AlertStore:
        return FirestoreAlertStore(self._firestore)

    def files(self) -> AudienceFiles:
        return GcsAudienceFiles(Client(project=self._settings.project), self._settings.bucket)

    def tasks(self) -> TaskQueue:
        emulator = self._settings.tasks_emulator
        transport = CloudTasksGrpcTransport(channel=_insecure(emulator)) if emulator else None
        return CloudTaskQueue(tasks_v2.CloudTasksClient(transport=transport), self._settings, self._clock)

    def schedules(self) -> Schedules:
        emulator = self._settings.scheduler_emulator
        transport = transports.CloudSchedulerGrpcTransport(channel=_insecure(emulator)) if emulator else None
        return CloudSchedules(scheduler_v1.CloudSchedulerClient(transport=transport), self._settings)


def _insecure(host: str) -> Any:
    return grpc.insecure_channel(host)
