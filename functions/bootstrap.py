"""The only composition root: chooses the adapters behind the ports, and builds each once per process."""

from __future__ import annotations

import gc
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, cast

from audience_jobs.contract import Engine, Job
from audience_jobs.engines.one_at_a_time import OneAtATime, Turn
from audience_jobs.errors import BadWorkspace
from audience_jobs.registry import find
from audience_jobs.workspace import Workspace, open_workspace
from functions import logs
from functions.domain.errors import Misconfigured
from functions.gcp.clock import SystemClock
from functions.gcp.webhooks import WebhookChannels
from functions.ports import Part, Ports
from functions.ports.images import Images
from functions.ports.people import Channels
from functions.ports.queue import Clock
from functions.ports.sending import PushSender
from functions.settings import FcmSettings, Settings
from functions.settings.read import collector_address, named_commit, process_settings
from functions.usecases.recipes.check_defaults import defaults_problems
from functions.version import Version, running

if TYPE_CHECKING:
    from pathlib import Path

    from functions.gcp.fcm.check import FcmCheck
    from functions.gcp.spans import SpanCollector
    from local.embedded.outbox import OutcomeScript
    from local.embedded.system import EmbeddedSystem

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_MOST_SPILL_MIB = 512
"""What DuckDB may spill where files take memory, as on Cloud Run. Of 2 GiB, 500 MiB stay for an audience's files."""
_WAIT_FOR_ENGINE_SECONDS = 20
"""How long an audience job waits for the one before it in the same process, before its request is answered 503."""

_bound: ContextVar[Ports] = ContextVar("ports")


def ports() -> Ports:
    """Return the ports of this request: those bound by `bind`, else the process's own."""
    return _bound.get(None) or _process_ports()


@contextmanager
def bind(chosen: Ports) -> Iterator[None]:
    """Use these ports inside the context, so that several runtimes can share one process."""
    token = _bound.set(chosen)
    try:
        yield
    finally:
        _bound.reset(token)


def workspace(settings: Settings) -> Workspace:
    """Return the workspace that the settings name, or the built-in one; Misconfigured for one with wrong files."""
    opened = _opened(settings.workspace)
    if settings.workspace and (problems := defaults_problems(opened, settings.policy)):  # the built-in one has none
        raise Misconfigured("WORKSPACE", str(BadWorkspace(problems)))
    return opened


def _opened(folder: Path | None) -> Workspace:
    try:
        return open_workspace(folder)
    except BadWorkspace as error:
        raise Misconfigured("WORKSPACE", str(error)) from error


def settings_of(folder: Path | None) -> Settings:
    """Return the settings of this process with a workspace, None for the built-in one.

    The workspace says which user ids are valid and where user data are, unless the environment does.
    """
    if folder is None:
        return replace(process_settings(), workspace=None)
    return replace(process_settings(_opened(folder).settings), workspace=folder)


def job_finder(settings: Settings) -> Callable[[str], Job]:
    """Return the look-up of the workspace's jobs."""
    return partial(find, workspace=workspace(settings))


def user_data(settings: Settings) -> tuple[Engine, Callable[[str], Job]]:
    """Return the engine over the user data, and the look-up of the workspace's jobs.

    Raise Misconfigured if the user data are in a database whose address this function does not have.
    """
    seconds, known, find_job = settings.user_data_timeout.total_seconds(), workspace(settings), job_finder(settings)
    most_spill_mib = _MOST_SPILL_MIB if settings.cloud else None
    if database := settings.user_database:
        if not database.url:
            raise Misconfigured(database.variable, "must be set where USER_DATA is postgres")
        from audience_jobs.engines.postgres import PostgresEngine  # noqa: PLC0415 - psycopg

        return PostgresEngine(database.url, known, schema=database.schema, timeout_seconds=seconds), find_job
    if dataset := settings.user_dataset:
        from audience_jobs.engines.bigquery import open_bigquery  # noqa: PLC0415 - Google's client

        engine = open_bigquery(
            dataset.project,
            known,
            dataset=dataset.dataset,
            bucket=dataset.bucket,
            max_bytes_billed=dataset.max_gib_billed * 2**30,
            max_bytes_looked=dataset.max_gib_looked * 2**30,
            timeout_seconds=seconds,
            most_spill_mib=most_spill_mib,
        )
        return engine, find_job
    from audience_jobs.engines.duckdb import DuckDBEngine  # noqa: PLC0415 - DuckDB

    duckdb = DuckDBEngine(settings.user_data_dir, known, timeout_seconds=seconds, most_spill_mib=most_spill_mib)
    return duckdb, find_job


def embedded(settings: Settings, clock: Clock, script: OutcomeScript | None = None) -> EmbeddedSystem:
    """Build the embedded system: SQLite, a folder, DuckDB, and an outbox unless the settings name FCM.

    `script` decides how the outbox answers.
    """
    from local.embedded.system import open_system  # noqa: PLC0415 - local/ is never deployed

    engine, find_job = user_data(settings)
    return open_system(
        settings.state_dir,
        clock=clock,
        engine=engine,
        find_job=find_job,
        workspace=workspace(settings),
        policy=settings.policy,
        sender=fcm_sender(settings.fcm) if settings.fcm else None,
        script=script,
        channels=web_channels(settings),
        images=web_images(settings),
        parts=sender_parts(settings),
    )


def sender_parts(settings: Settings) -> Mapping[str, Part]:
    """Return the checks of the sender for a health request; none if messages go to an outbox.

    Deployed functions do not check FCM: only the functions that send have the rights to call it.
    """
    return {} if settings.fcm is None else {"pushSender": Part(check=fcm_check(settings.fcm).check)}


def google_cloud(settings: Settings, clock: Clock, sender: PushSender | None = None) -> Ports:
    """Build the ports on Google Cloud, or on the emulators named in the settings. `sender` replaces FCM."""
    from functions.gcp import system  # noqa: PLC0415 - Google's clients; the embedded runtime needs none

    if settings.cloud is None:
        raise Misconfigured("TMINUS_PLATFORM", "must be gcp where ports on Google Cloud are asked for")
    if sender is None and settings.fcm is None:
        raise Misconfigured("PUSH_SENDER", "must be fcm on Google Cloud: there is no outbox to read")
    # Only build_audience has the user database's secret, so the engine is created on first use.
    turn = Turn(wait_seconds=_WAIT_FOR_ENGINE_SECONDS, run_seconds=settings.job_time.total_seconds())
    return system.open_ports(
        settings.cloud,
        clock=clock,
        make_engine=lambda: OneAtATime(user_data(settings)[0], turn),
        find_job=job_finder(settings),
        workspace=workspace(settings),
        policy=settings.policy,
        sender=sender or fcm_sender(cast("FcmSettings", settings.fcm)),
        channels=web_channels(settings),
        images=web_images(settings),
    )


def web_channels(settings: Settings) -> Channels:
    """Return the alert channels whose addresses this process has."""
    return WebhookChannels(settings.webhooks)


def web_images(settings: Settings) -> Images | None:
    """Return what loads images at T-30; None if the settings say that none is loaded."""
    if not settings.image_check:
        return None
    from functions.gcp.web_images import WebImages  # noqa: PLC0415 - TLS; a demo loads no image

    return WebImages(settings.policy.links)


@cache
def fcm_sender(settings: FcmSettings) -> PushSender:
    """Return the FCM sender, one per process: its connections stay open from shard to shard."""
    from functions.gcp.fcm.sender import FcmSender  # noqa: PLC0415 - firebase-admin; an outbox needs none

    return FcmSender(settings, SystemClock())


@cache
def fcm_check(settings: FcmSettings) -> FcmCheck:
    """Return the check of FCM, one per process: it caches its answer for a short time."""
    from functions.gcp.fcm.check import FcmCheck  # noqa: PLC0415 - firebase-admin

    return FcmCheck(fcm_sender(settings), SystemClock())


@cache
def signing_key() -> str:
    """Return the key that signs forms and links. The embedded runtime makes one that lasts as long as the process.

    Raise Misconfigured on Google Cloud if CONSOLE_KEY is missing: all instances have to share the key.
    """
    settings = process_settings()
    if settings.cloud is None:
        return secrets.token_urlsafe(32)
    if not settings.cloud.console.key:
        raise Misconfigured("CONSOLE_KEY", "must be set for the console: 32 random characters or more, as a secret")
    return settings.cloud.console.key


def running_version() -> Version:
    """Return the version of Tminus, its commit if known, and the version of Python."""
    return running(named_commit())


@cache
def span_collector() -> SpanCollector | None:
    """Return the collector of spans, None if no address is set. One that cannot be used is logged, and not used."""
    address = collector_address()
    if not address:
        return None
    try:
        from functions.gcp.spans import SpanCollector  # noqa: PLC0415 - OpenTelemetry's SDK

        return SpanCollector(address, running_version().version, SystemClock())
    except (ImportError, ValueError) as error:
        reason = f"OTEL_EXPORTER_OTLP_ENDPOINT: no spans are exported: {error}; pip install 'tminus[otel]'"
        logs.log.error(reason, extra={"action": "misconfigured", "setting": "OTEL_EXPORTER_OTLP_ENDPOINT"})
        return None


def collect_rarely() -> None:
    """Collect garbage rarely: a shard creates 60,000 objects without a cycle, and collecting costs 8% of its time."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


@cache
def _process_ports() -> Ports:
    logs.configure(sys.stderr)
    collect_rarely()
    settings = settings_of(process_settings().workspace)
    if settings.cloud is not None:
        logs.configure(sys.stderr, trace_project=settings.cloud.project)
        return google_cloud(settings, SystemClock())
    from local.embedded.clock import RealClock  # noqa: PLC0415 - local/ is never deployed

    return embedded(settings, RealClock()).ports
