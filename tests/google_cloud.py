"""Google Cloud on this machine: the emulators, started once, and projects of a test's own on them."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2
from google.cloud.storage import Client
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from functions.settings import CloudSettings
from local.cloud import CloudEmulator
from local.embedded.clock import WaitableClock
from local.emulators import firestore_emulator, storage_emulator

CALLER = "caller@demo.iam.gserviceaccount.com"


@dataclass(frozen=True, kw_only=True)
class Emulators:
    """Where Firestore and Cloud Storage are; their clients find them by the environment's variables."""

    firestore: str
    storage: str


@contextmanager
def emulators(folder: Path) -> Iterator[Emulators]:
    """Run both emulators and name them in the environment."""
    with ExitStack() as stack:
        firestore = stack.enter_context(firestore_emulator(folder / "firestore.log"))
        url = stack.enter_context(storage_emulator(folder / "storage", folder / "storage.log"))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("FIRESTORE_EMULATOR_HOST", firestore)
        environment.setenv("STORAGE_EMULATOR_HOST", url)
        yield Emulators(firestore=firestore, storage=url)


def settings_of(folder: Path, cloud: CloudEmulator, function_url: str) -> CloudSettings:
    """Return the settings of a project of its own for each folder, with its bucket and queues made."""
    project = f"demo-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    settings = CloudSettings(
        project=project,
        location="europe-west1",
        function_url=function_url,
        bucket=f"{project}-audiences",
        task_caller=CALLER,
        scheduler_caller=CALLER,
        tasks_emulator=cloud.host,
        scheduler_emulator=cloud.host,
        certs_url=cloud.certs_url,
    )
    _make_bucket(settings)
    _make_queues(settings)
    return settings


@contextmanager
def cloud_project(
    folder: Path, clock: WaitableClock, function_url: str = "https://tminus-{function}.example"
) -> Iterator[tuple[CloudEmulator, CloudSettings]]:
    """Run Cloud Tasks and Cloud Scheduler, and yield them with the settings of a project on all emulators."""
    with CloudEmulator(folder / "cloud", clock) as cloud:
        yield cloud, settings_of(folder, cloud, function_url)


def _make_bucket(settings: CloudSettings) -> None:
    client = Client(project=settings.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    client.create_bucket(settings.bucket)


def _make_queues(settings: CloudSettings) -> None:
    with grpc.insecure_channel(settings.tasks_emulator) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        parent = f"projects/{settings.project}/locations/{settings.location}"
        for name in (settings.task_queue, settings.shard_queue):
            client.create_queue(parent=parent, queue=tasks_v2.Queue(name=f"{parent}/queues/{name}"))
