"""The adapters that every contract suite runs against; another runtime is one more entry of ADAPTERS.

`open_ports()` yields adapters on one shared state; calling it again is what another process would see.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from functions import bootstrap
from functions.domain.audience.partition import PARTITIONS, Index
from functions.domain.execution.execution import Execution
from functions.domain.push.outcomes import Message, Outcome
from functions.domain.push.shard import AudienceFile, IndexedFile, PushFiles, Shard, Stored
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.ports.executions import ExecutionLog, ExecutionStore
from functions.ports.queue import Schedules, Task, TaskQueue
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
from functions.settings import Platform, Settings
from functions.stores import stores_on
from local.embedded.clock import VirtualClock
from local.embedded.database import Database
from local.embedded.files import FolderAudienceFiles
from local.embedded.outbox import OutboxSender, OutcomeScript
from local.embedded.queue import SqliteTaskQueue
from local.embedded.scheduler import SqliteSchedules
from local.embedded.sqlite_documents import SqliteDocuments
from local.memory.documents import MemoryDocuments
from local.memory.files import MemoryAudienceFiles
from local.memory.queue import MemoryTaskQueue
from local.memory.schedules import MemorySchedules
from local.simulator.play.chance import Chance
from local.simulator.play.faults import rates
from local.simulator.play.phones import Phones
from local.simulator.play.registrations import Registrations
from local.standins.fcm import FakeFcm, Script, answers
from tests.fcm import settings_for
from tests.google_cloud import cloud_project

CONTENT = 'user_id,firstName\r\na,Zoë\nb,"Jo\nhn"\n'.encode()
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
T = TypeVar("T")


@dataclass(kw_only=True)
class Adapters:
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
    devices: Devices
    alert_store: AlertStore
    expiry: Expiry
    sender: Callable[[Mapping[str, Outcome]], PushSender]
    """Makes a sender that answers as told by token, and sent otherwise."""


def embedded(folder: Path, clock: VirtualClock, closing_stack: ExitStack) -> Callable[[], Adapters]:
    return lambda: _embedded(folder, clock, closing_stack)


def _embedded(folder: Path, clock: VirtualClock, closing_stack: ExitStack) -> Adapters:
    database = closing_stack.enter_context(closing(Database(folder / "tminus.db")))
    return Adapters(
        **stores_on(SqliteDocuments(database)),
        files=FolderAudienceFiles(folder / "files"),
        tasks=SqliteTaskQueue(database, clock),
        schedules=SqliteSchedules(database, clock),
        sender=lambda by_token: OutboxSender(folder / "outbox.jsonl", clock, OutcomeScript(by_token=by_token)),
    )


def _phones(by_token: Mapping[str, Outcome]) -> PushSender:
    kinds = {Outcome.DEAD_TOKEN: "fcm_dead", Outcome.UNKNOWN: "fcm_503", Outcome.BAD_MESSAGE: "fcm_refused"}
    chance = Chance(seed=1)
    return Phones(
        chance,
        rates("none", seed=1),
        Registrations(lambda: datetime(2026, 11, 23, tzinfo=UTC), chance, come_back=False),
        depth=4,
        caller=lambda: "",
        wait=lambda _: None,
        left=lambda *_: None,
        scripted={token: kinds[outcome] for token, outcome in by_token.items()},
    )


def in_memory(_: Path, clock: VirtualClock, __: ExitStack) -> Callable[[], Adapters]:
    adapters = Adapters(
        **stores_on(MemoryDocuments()),
        files=MemoryAudienceFiles(),
        tasks=MemoryTaskQueue(clock),
        schedules=MemorySchedules(clock),
        sender=_phones,
    )
    return lambda: adapters


def google_cloud(folder: Path, clock: VirtualClock, closing_stack: ExitStack) -> Callable[[], Adapters]:
    _, cloud = closing_stack.enter_context(cloud_project(folder, clock))
    settings = Settings(platform=Platform.GOOGLE_CLOUD, cloud=cloud)
    return lambda: _google_cloud(settings, folder, clock, closing_stack)


def _google_cloud(settings: Settings, folder: Path, clock: VirtualClock, closing_stack: ExitStack) -> Adapters:
    ports = bootstrap.google_cloud(settings, clock, OutboxSender(folder / "unused.jsonl", clock, OutcomeScript()))
    return Adapters(
        recipes=ports.recipes,
        audit=ports.audit,
        accesses=ports.accesses,
        executions=ports.executions,
        shards=ports.shards,
        logs=ports.logs,
        violations=ports.violations,
        request_keys=ports.request_keys,
        segments=ports.segments,
        ledger=ports.ledger,
        testers=ports.testers,
        files=ports.files,
        tasks=ports.tasks,
        schedules=ports.schedules,
        devices=ports.devices,
        alert_store=ports.alert_store,
        expiry=ports.expiry,
        sender=lambda by_token: _fcm(by_token, closing_stack),
    )


def _fcm(by_token: Mapping[str, Outcome], closing_stack: ExitStack) -> PushSender:
    script = Script(tokens={token: _ANSWERS[outcome] for token, outcome in by_token.items()})
    fcm = closing_stack.enter_context(FakeFcm(script=script))
    return closing_stack.enter_context(closing(FcmSender(settings_for(fcm), SystemClock())))


_ANSWERS = {
    Outcome.DEAD_TOKEN: answers.UNREGISTERED,
    Outcome.UNKNOWN: answers.INTERNAL,
    Outcome.BAD_MESSAGE: answers.INVALID_PAYLOAD,
}
ADAPTERS = {"embedded": embedded, "google_cloud": google_cloud, "in_memory": in_memory}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture(params=sorted(ADAPTERS))
def open_ports(
    request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock
) -> Iterator[Callable[[], Adapters]]:
    if request.param == "google_cloud":
        request.getfixturevalue("emulators")
    with ExitStack() as stack:
        yield ADAPTERS[request.param](tmp_path, clock, stack)


@pytest.fixture
def ports(open_ports: Callable[[], Adapters]) -> Adapters:
    return open_ports()


@pytest.fixture
def at_once() -> Callable[[int, Callable[[int], T]], list[T]]:
    """Runs a function on many threads that start together, and returns what each returned."""

    def run(threads: int, work: Callable[[int], T]) -> list[T]:
        start = threading.Barrier(threads)

        def together(number: int) -> T:
            start.wait(timeout=20)
            return work(number)

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(together, range(threads), timeout=60))

    return run


@pytest.fixture
def an_execution() -> Callable[..., Execution]:
    def make(**fields: Any) -> Execution:
        given: dict[str, Any] = {
            "id": "daily_20261123T180000Z",
            "recipe_id": "daily",
            "recipe": {"name": "Täglich 👟"},
            "claim": "a",
            "rule_bytes": {0xE0: "cadence:weekly"},
        }
        return Execution(**({"send_at": NOON + timedelta(hours=6), "created_at": NOON} | given | fields))

    return make


@pytest.fixture
def a_shard(an_execution: Callable[..., Execution]) -> Callable[..., Shard]:
    def make(**fields: Any) -> Shard:
        given: dict[str, Any] = {"execution_id": an_execution().id, "push": 1, "number": 0, "test": False}
        return Shard(**(given | {"partitions": range(64), "outcomes": b"..."} | fields))

    return make


@pytest.fixture
def a_push(an_execution: Callable[..., Execution]) -> Callable[..., PushFiles]:
    def file(name: str) -> IndexedFile:
        index = Index(columns=("user_id", "firstName"), start=18, rows=(3,) * PARTITIONS, ends=(99,) * PARTITIONS)
        return IndexedFile(
            stored=Stored(name=name, generation=2**60, checksum="sha256:0", size_bytes=99), index=index
        )

    def make(push: int) -> PushFiles:
        live = AudienceFile(rows=file(f"größe/{push}.csv"), devices=file(f"tokens/{push}.csv"))
        return PushFiles(execution_id=an_execution().id, push=push, audience="größe", live=live, test=live)

    return make


@pytest.fixture
def a_task() -> Callable[..., Task]:
    def make(name: str = "a1b2-step", **fields: Any) -> Task:
        given: dict[str, Any] = {"name": name, "function": "send_push", "body": {"push": 1}, "at": NOON}
        return Task(**(given | fields))

    return make


@pytest.fixture
def a_message() -> Callable[..., Message]:
    def make(token: str, **fields: Any) -> Message:
        given: dict[str, Any] = {
            "user_id": f"user-{token}",
            "title": "Hallo Zoë 👟",
            "body": "Größe 44",
            "deep_link": None,
        }
        return Message(**({"token": token} | given | fields))

    return make


@pytest.fixture
def a_source(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes = CONTENT, name: str = "source.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write
