"""The ports on Google Cloud. Each client is created on first use, once per process."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import grpc
from google.cloud import firestore, scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler import transports
from google.cloud.storage import Client
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from audience_jobs.contract import Engine, Job
from audience_jobs.workspace import Workspace
from functions.domain.policy import Policy
from functions.gcp.alerts import LogAlerts
from functions.gcp.auth.id_tokens import IdTokens
from functions.gcp.clock import SystemClock
from functions.gcp.firestore.documents import FirestoreDocuments
from functions.gcp.scheduler import CloudSchedules
from functions.gcp.storage import GcsAudienceFiles
from functions.gcp.tasks import CloudTaskQueue
from functions.gcp.trouble import translated
from functions.ports import Ports
from functions.ports.images import Images
from functions.ports.people import Callers, Channels
from functions.ports.queue import Clock, Schedules, TaskQueue
from functions.ports.sending import PushSender
from functions.ports.stores import AudienceFiles
from functions.settings import CloudSettings
from functions.stores import stores_on
from functions.stores.documents import Documents


def open_ports(
    settings: CloudSettings,
    *,
    clock: Clock,
    make_engine: Callable[[], Engine],
    find_job: Callable[[str], Job],
    workspace: Workspace,
    policy: Policy,
    sender: PushSender,
    channels: Channels,
    images: Images | None = None,
) -> Ports:
    """Return the ports of a deployment, or of the emulators named in the settings."""
    cloud = _Cloud(settings, clock)
    ports = Ports(
        clock=clock,
        **stores_on(cast("Documents", _Lazy(cloud.documents))),
        files=cast("AudienceFiles", _Lazy(cloud.files)),
        tasks=cast("TaskQueue", _Lazy(cloud.tasks)),
        schedules=cast("Schedules", _Lazy(cloud.schedules)),
        sender=sender,
        alerts=LogAlerts(),
        channels=channels,
        callers=cast("Callers", _Lazy(cloud.callers)),
        engine=cast("Engine", _Lazy(make_engine)),
        find_job=find_job,
        workspace=workspace,
        policy=policy,
        images=images,
    )
    return replace(ports, user_hash_key=lambda: policy.user_hash_key) if policy.user_hash_key else ports


class _Lazy:
    """A port that is created when one of its methods is first called."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    @cached_property
    def _made(self) -> object:
        with translated("Google Cloud"):  # a client without credentials raises when it is created
            return self._make()


class _Cloud:
    """Creates the adapters of one deployment."""

    def __init__(self, settings: CloudSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def documents(self) -> Documents:
        return FirestoreDocuments(firestore.Client(project=self._settings.project, database=self._settings.database))

    def callers(self) -> Callers:
        return IdTokens(self._settings, SystemClock())

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
