"""A project on the emulators: its settings, its bucket and its queues, as Terraform makes them on Google Cloud."""

from datetime import timedelta

import grpc
from google.api_core.exceptions import AlreadyExists, Conflict
from google.auth.credentials import AnonymousCredentials
from google.cloud import tasks_v2
from google.cloud.storage import Client
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from functions.settings import CloudSettings
from local.standins.cloud_tasks.emulator import CloudEmulator

_LOCATION = "europe-west1"


def make_project(name: str, cloud: CloudEmulator, function_url: str) -> CloudSettings:
    """Make a project's bucket and queues, unless they exist, and return its settings.

    Cloud Storage's client finds its emulator in STORAGE_EMULATOR_HOST.
    """
    account = f"{name}.iam.gserviceaccount.com"
    settings = CloudSettings(
        project=name,
        location=_LOCATION,
        function_url=function_url,
        bucket=f"{name}-tminus-audiences",
        task_caller=f"tminus-task-caller@{account}",
        scheduler_caller=f"tminus-scheduler-caller@{account}",
        tasks_emulator=cloud.host,
        scheduler_emulator=cloud.host,
        certs_url=cloud.certs_url,
    )
    _make_bucket(settings)
    _make_queues(settings)
    return settings


def _make_bucket(settings: CloudSettings) -> None:
    client = Client(project=settings.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    try:
        client.create_bucket(settings.bucket)
    except Conflict:
        return


_RETRY = tasks_v2.RetryConfig(
    max_attempts=100,
    max_retry_duration=timedelta(hours=1),
    min_backoff=timedelta(seconds=1),
    max_backoff=timedelta(minutes=1),
    max_doublings=6,
)
"""As infra/modules/queue sets it."""


def _make_queues(settings: CloudSettings) -> None:
    parent = f"projects/{settings.project}/locations/{settings.location}"
    with grpc.insecure_channel(settings.tasks_emulator) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        for name in (settings.task_queue, settings.shard_queue, settings.alert_queue):
            try:
                queue = tasks_v2.Queue(name=f"{parent}/queues/{name}", retry_config=_RETRY)
                client.create_queue(parent=parent, queue=queue)
            except AlreadyExists:
                continue
