"""The stores on Firestore keep their promises when Firestore fails, also after it has done what it was asked."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from functions.domain.audit import Action, Deed
from functions.domain.errors import Conflict, Halted, LedgerUnreadable, Misconfigured, NotPossible, Transient
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import Shard
from functions.domain.testers import NamedTester
from functions.gcp.firestore.documents import FirestoreDocuments
from functions.ports.executions import ExecutionSearch, LogEntry
from functions.ports.stores import RecipeStore
from functions.stores import stores_on
from tests.factories import DEFAULT_RULES
from tests.faulty_firestore import Fault, FaultyFirestore

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TESTER = NamedTester(name="Ana", user_id="a", email="ana@example.com")
SAVED = Deed(by="ann@example.com", at=NOON, action=Action.SAVED)
TODAY = date(2026, 11, 23)
EXECUTION = Execution(
    id="daily_20261123T180000Z",
    recipe_id="daily",
    recipe={"count": 0},
    send_at=NOON + timedelta(hours=6),
    created_at=NOON,
    claim="mine",
    state=State.LIVE,
)
SHARD = Shard(execution_id=EXECUTION.id, push=1, number=0, test=False, partitions=range(64), outcomes=b"...")
LINE = LogEntry(at=NOON, phase="live", level="info", message="erst 👟")
VIOLATION = Violation(
    id="v",
    execution_id=EXECUTION.id,
    recipe_id=EXECUTION.recipe_id,
    finding=Finding(
        type=ViolationType.TEST_FAILED, severity=Severity.CRITICAL, message="kein Gerät", action="blocked", data={}
    ),
    at=NOON,
)

PASSING = ["ABORTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNKNOWN", "CANCELLED"]
IN_DOUBT = [status for status in PASSING if status != "ABORTED"]
"""Answers that a commit may get although it has landed; ABORTED says that it has not."""


class Stores:
    """Every store on one client, as a process has them."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        stores = stores_on(FirestoreDocuments(client))
        self.executions, self.shards, self.logs = stores["executions"], stores["shards"], stores["logs"]
        self.violations, self.recipes = stores["violations"], stores["recipes"]
        self.ledger, self.devices, self.segments = stores["ledger"], stores["devices"], stores["segments"]
        self.testers = stores["testers"]


def stores_at(host: str, project: str) -> Iterator[Stores]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIRESTORE_EMULATOR_HOST", host)
        client = firestore.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    with closing(client):
        yield Stores(client)


@pytest.fixture
def proxy(emulators: Mapping[str, str]) -> Iterator[FaultyFirestore]:
    with FaultyFirestore(emulators["FIRESTORE_EMULATOR_HOST"]) as entered:
        yield entered


@pytest.fixture
def project(tmp_path: Path) -> str:
    return f"demo-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"


@pytest.fixture
def stores(proxy: FaultyFirestore, project: str) -> Iterator[Stores]:
    """What the process under test has: the proxy is between it and Firestore."""
    yield from stores_at(proxy.host, project)


@pytest.fixture
def others(emulators: Mapping[str, str], project: str) -> Iterator[Stores]:
    """What another process has, which nothing happens to."""
    yield from stores_at(emulators["FIRESTORE_EMULATOR_HOST"], project)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets the adapters give up after so many seconds."""
    return lambda seconds: monkeypatch.setattr("functions.gcp.firestore.calls._PATIENCE_SECONDS", seconds)


@pytest.fixture
def impatient(patience: Callable[[float], None]) -> None:
    """Let the adapters give up almost at once."""
    patience(0.1)


def lost(status: str = "UNAVAILABLE", **fault: Any) -> list[Fault]:
    """The next commit lands, and its answer is lost."""
    return [Fault(method="Commit", status=status, landed=True, **fault)]


def counted(old: Execution) -> Execution:
    return replace(old, recipe={"count": old.recipe["count"] + 1})


# Creating


@pytest.mark.parametrize("status", IN_DOUBT)
def test_a_create_that_landed_is_the_creator_s_and_a_competitor_s_claim_still_loses(
    status: str, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = lost(status)
    assert stores.executions.create(EXECUTION)
    assert proxy.calls["Commit"] == 2
    assert not others.executions.create(replace(EXECUTION, claim="theirs"))
    assert others.executions.get(EXECUTION.id) == EXECUTION


def test_a_create_that_a_competitor_was_faster_with_is_lost(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    theirs = replace(EXECUTION, claim="theirs")
    proxy.faults = [Fault(method="Commit", meanwhile=lambda: others.executions.create(theirs))]
    assert not stores.executions.create(EXECUTION)
    assert others.executions.get(EXECUTION.id) == theirs


def test_a_create_that_landed_and_was_changed_by_others_before_it_is_repeated_is_still_the_creator_s(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = lost(meanwhile=lambda: others.executions.change(EXECUTION.id, counted))
    assert stores.executions.create(EXECUTION)
    assert others.executions.get(EXECUTION.id) == counted(EXECUTION)


# Changing


@pytest.mark.parametrize(
    ("status", "landed"), [*((status, False) for status in PASSING), *((status, True) for status in IN_DOUBT)]
)
def test_a_change_happens_once_whatever_its_commit_answers(
    status: str, landed: bool, proxy: FaultyFirestore, stores: Stores
) -> None:
    stores.executions.create(EXECUTION)
    proxy.faults = [Fault(method="Commit", status=status, landed=landed, times=3)]
    assert stores.executions.change(EXECUTION.id, counted) == counted(EXECUTION)
    assert stores.executions.get(EXECUTION.id) == counted(EXECUTION)


@pytest.mark.long
@pytest.mark.parametrize("others_changes", [1, 5])
def test_a_change_that_landed_happens_once_though_others_change_the_same_before_it_is_repeated(
    others_changes: int, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    def meanwhile() -> None:
        for _ in range(others_changes):
            others.executions.change(EXECUTION.id, counted)

    stores.executions.create(EXECUTION)
    proxy.faults = lost(meanwhile=meanwhile)
    stores.executions.change(EXECUTION.id, counted)
    stored = others.executions.get(EXECUTION.id)
    assert stored is not None
    assert stored.recipe == {"count": others_changes + 1}


@pytest.mark.parametrize("status", PASSING)
def test_a_change_reads_again_where_reading_fails(status: str, proxy: FaultyFirestore, stores: Stores) -> None:
    stores.executions.create(EXECUTION)
    proxy.faults = [Fault(method="BatchGetDocuments", status=status, times=2)]
    assert stores.executions.change(EXECUTION.id, counted) == counted(EXECUTION)


def test_a_change_that_was_overtaken_sees_what_the_faster_one_has_written(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    stores.executions.create(EXECUTION)
    cancel = replace(EXECUTION, state=State.TESTED)
    others.executions.change(EXECUTION.id, lambda _: cancel)

    def cancelled() -> None:
        others.executions.change(EXECUTION.id, lambda old: old.to(State.CANCELLED, NOON))

    proxy.faults = [Fault(method="Commit", meanwhile=cancelled)]
    with pytest.raises(NotPossible, match="cancelled: it can no longer be live"):
        stores.executions.change(EXECUTION.id, lambda old: old.to(State.LIVE, NOON))


def test_what_is_replaced_is_replaced_whole_when_it_landed_twice(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    stores.recipes.change("r", lambda _: {"id": "r", "old": 1, "nested": {"a": 1, "b.c": 2}})
    proxy.faults = lost(times=2)
    written = {"id": "r", "nested": {"b.c": 3}, "with space": True, "`tick`": None}
    stores.recipes.change("r", lambda _: written)
    assert others.recipes.get("r") == written


def test_a_delete_that_landed_is_done(proxy: FaultyFirestore, stores: Stores, others: Stores) -> None:
    stores.recipes.change("r", lambda _: {"id": "r"})
    proxy.faults = lost()
    assert stores.recipes.change("r", lambda _: None) is None
    assert others.recipes.get("r") is None


@pytest.mark.parametrize("seed", range(3))
def test_of_a_recipe_changed_by_two_at_once_no_change_is_lost_or_made_twice(
    seed: int, emulators: Mapping[str, str], project: str
) -> None:
    with FaultyFirestore(emulators["FIRESTORE_EMULATOR_HOST"], seed=seed) as proxy:
        proxy.faults = [
            Fault(method="Commit", status="UNAVAILABLE", landed=True, share=0.2, times=None),
            Fault(method="Commit", status="INTERNAL", landed=True, share=0.1, times=None),
            Fault(method="Commit", status="ABORTED", share=0.2, times=None),
            Fault(method="BatchGetDocuments", status="UNAVAILABLE", share=0.2, times=None),
        ]

        def run(name: str) -> None:
            for mine in stores_at(proxy.host, project):
                for number in range(8):
                    append(mine.recipes, f"{name}-{number}")

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, ("one", "other")))
        proxy.faults = []
        for mine in stores_at(proxy.host, project):
            stored = mine.recipes.get("r")
    assert stored is not None
    assert sorted(stored["all"]) == sorted(f"{name}-{number}" for name in ("one", "other") for number in range(8))


def append(recipes: RecipeStore, entry: str) -> None:
    recipes.change("r", lambda old: {"all": [*(old or {"all": []})["all"], entry]})


# What arrives twice, or when no caller waits for it any more


@pytest.mark.parametrize("copies", [2, 3])
def test_a_commit_that_arrives_more_than_once_counts_once(
    copies: int, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = [Fault(method="Commit", status="", copies=copies)]
    assert stores.executions.create(EXECUTION)
    proxy.faults = [Fault(method="Commit", status="", copies=copies)]
    assert stores.executions.change(EXECUTION.id, counted) == counted(EXECUTION)
    proxy.faults = [Fault(method="Commit", status="", copies=copies)]
    done = replace(SHARD, outcomes=b"SSF", done=True)
    assert stores.shards.create(done) == done
    assert others.executions.get(EXECUTION.id) == counted(EXECUTION)
    assert others.shards.progress(EXECUTION.id) == Tally(audience_size=3, sent=2, failed=1)


@pytest.mark.long
def test_a_change_whose_commit_arrives_after_its_repetition_happens_once(
    proxy: FaultyFirestore, stores: Stores, others: Stores, patience: Callable[[float], None]
) -> None:
    stores.executions.create(EXECUTION)
    patience(3.0)
    arrived = threading.Event()
    proxy.faults = [Fault(method="Commit", status="", late_seconds=2.4, meanwhile=arrived.set)]
    assert stores.executions.change(EXECUTION.id, counted) == counted(EXECUTION)
    assert not arrived.is_set()
    assert arrived.wait(timeout=20)
    assert others.executions.get(EXECUTION.id) == counted(EXECUTION)


# Shards


@pytest.fixture
def shard(others: Stores) -> Shard:
    """A shard of a live execution."""
    others.executions.create(EXECUTION)
    return others.shards.create(SHARD)


def stop(others: Stores) -> None:
    others.executions.change(EXECUTION.id, lambda old: old.to(State.STOPPED, NOON))


@pytest.mark.parametrize("status", IN_DOUBT)
def test_a_save_that_landed_returns_the_next_version_and_the_next_save_goes_on_from_it(
    status: str, proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = lost(status)
    saved = stores.shards.save(replace(shard, outcomes=b"S.."), only_while=State.LIVE)
    assert saved == replace(shard, outcomes=b"S..", version=1)
    again = stores.shards.save(replace(saved, outcomes=b"SS."), only_while=State.LIVE)
    assert again == others.shards.get(EXECUTION.id, SHARD.key) == replace(saved, outcomes=b"SS.", version=2)


@pytest.mark.parametrize("status", PASSING)
@pytest.mark.parametrize("method", ["BeginTransaction", "BatchGetDocuments", "Commit"])
def test_a_save_is_tried_again_wherever_it_fails(
    method: str, status: str, proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = [Fault(method=method, status=status, times=2)]
    saved = stores.shards.save(shard, only_while=State.LIVE)
    assert others.shards.get(EXECUTION.id, SHARD.key) == saved == replace(shard, version=1)


@pytest.mark.parametrize("landed", [True, False])
def test_a_shard_cannot_be_settled_as_it_was_before_a_save_that_succeeded(
    landed: bool, proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = lost() if landed else []
    saved = stores.shards.save(replace(shard, outcomes=b"S.."), only_while=State.LIVE)
    with pytest.raises(Conflict, match="version 0"):
        stores.shards.settle(shard)
    assert others.shards.get(EXECUTION.id, SHARD.key) == saved


def test_a_save_costs_one_read_and_one_write(proxy: FaultyFirestore, stores: Stores, shard: Shard) -> None:
    saved = stores.shards.save(shard, only_while=State.LIVE)
    proxy.faults = []
    stores.shards.save(saved, only_while=State.LIVE)
    assert proxy.calls == {"BeginTransaction": 1, "BatchGetDocuments": 1, "Commit": 1}


def test_a_save_that_another_worker_was_faster_with_is_a_conflict_also_when_it_is_repeated(
    proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    theirs = replace(shard, outcomes=b"X..")
    proxy.faults = [Fault(method="Commit", meanwhile=lambda: others.shards.save(theirs, only_while=State.LIVE))]
    with pytest.raises(Conflict, match="version 0"):
        stores.shards.save(shard, only_while=State.LIVE)
    stored = others.shards.get(EXECUTION.id, SHARD.key)
    assert stored == replace(theirs, version=1)


def test_a_save_that_fails_while_the_execution_is_stopped_is_halted_and_writes_nothing(
    proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = [Fault(method="BeginTransaction", meanwhile=lambda: stop(others))]
    with pytest.raises(Halted, match="is stopped, not live"):
        stores.shards.save(replace(shard, outcomes=b"S.."), only_while=State.LIVE)
    assert others.shards.get(EXECUTION.id, SHARD.key) == shard


@pytest.mark.parametrize("status", ["UNAVAILABLE", "PERMISSION_DENIED"])
def test_a_save_is_halted_also_where_the_roll_back_fails(
    status: str, proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    stop(others)
    proxy.faults = [Fault(method="Rollback", status=status, times=None), *lost(status, times=None)]
    with pytest.raises(Halted, match="is stopped, not live"):
        stores.shards.save(shard, only_while=State.LIVE)


def test_a_save_that_landed_before_the_stop_is_halted_and_its_worker_may_still_settle_what_it_knows(
    proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = lost(meanwhile=lambda: stop(others))
    with pytest.raises(Halted):
        stores.shards.save(replace(shard, outcomes=b"?.."), only_while=State.LIVE)
    settled = stores.shards.settle(replace(shard, outcomes=b"...", done=True))
    assert settled == others.shards.get(EXECUTION.id, SHARD.key)
    assert (settled.outcomes, settled.version) == (b"...", 2)
    with pytest.raises(Conflict):
        stores.shards.settle(shard)


@pytest.mark.long
def test_a_worker_that_has_to_come_again_though_its_save_landed_may_still_let_the_shard_go(
    proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard, patience: Callable[[float], None]
) -> None:
    patience(3.0)
    proxy.faults = [Fault(method="Commit", landed=True), Fault(method="BeginTransaction", after=1, times=None)]
    with pytest.raises(Transient):
        stores.shards.save(replace(shard, outcomes=b"?.."), only_while=State.LIVE)
    proxy.faults = []
    settled = stores.shards.settle(shard)
    assert settled == others.shards.get(EXECUTION.id, SHARD.key) == replace(shard, version=2)


@pytest.mark.long
def test_a_save_that_arrives_after_it_was_halted_writes_nothing(
    proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard, patience: Callable[[float], None]
) -> None:
    saved = stores.shards.save(shard, only_while=State.LIVE)
    patience(3.0)
    arrived = threading.Event()
    proxy.faults = [
        Fault(method="Commit", status="", late_seconds=2.4, meanwhile=arrived.set),
        Fault(method="BeginTransaction", after=1, meanwhile=lambda: stop(others)),
    ]
    with pytest.raises(Halted):
        stores.shards.save(replace(saved, outcomes=b"S.."), only_while=State.LIVE)
    assert arrived.wait(timeout=20)
    assert others.shards.get(EXECUTION.id, SHARD.key) == saved


def test_a_save_that_arrives_twice_is_made_once(
    proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = [Fault(method="Commit", status="", copies=2)]
    saved = stores.shards.save(shard, only_while=State.LIVE)
    assert saved == others.shards.get(EXECUTION.id, SHARD.key) == replace(shard, version=1)


@pytest.mark.parametrize("settles", [True, False])
def test_a_worker_cannot_settle_what_another_has_written_since_its_own_save_failed(
    settles: bool, proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    def taken_over() -> None:
        stored = others.shards.get(EXECUTION.id, SHARD.key)
        assert stored is not None
        if settles:
            others.shards.settle(stored)
        else:
            others.shards.save(stored, only_while=State.LIVE)
        stop(others)

    proxy.faults = lost(meanwhile=taken_over)
    with pytest.raises(Halted):
        stores.shards.save(shard, only_while=State.LIVE)
    with pytest.raises(Conflict, match="version 0"):
        stores.shards.settle(shard)


@pytest.mark.parametrize("status", IN_DOUBT)
def test_a_shard_that_is_settled_counts_once_in_the_progress(
    status: str, proxy: FaultyFirestore, stores: Stores, others: Stores, shard: Shard
) -> None:
    proxy.faults = lost(status, times=3)
    settled = stores.shards.settle(replace(shard, outcomes=b"SSF", done=True))
    assert settled == others.shards.get(EXECUTION.id, SHARD.key)
    assert others.shards.progress(EXECUTION.id) == Tally(audience_size=3, sent=2, failed=1)


def test_a_shard_that_is_created_done_counts_once(proxy: FaultyFirestore, stores: Stores, others: Stores) -> None:
    proxy.faults = lost(times=2)
    done = replace(SHARD, outcomes=b"SSF", done=True)
    assert stores.shards.create(done) == done
    assert others.shards.create(done) == done
    assert others.shards.progress(EXECUTION.id) == Tally(audience_size=3, sent=2, failed=1)


def test_shards_settled_at_once_under_random_faults_each_count_once(
    emulators: Mapping[str, str], project: str, others: Stores
) -> None:
    others.executions.create(EXECUTION)
    shards = [others.shards.create(replace(SHARD, number=number)) for number in range(12)]
    with FaultyFirestore(emulators["FIRESTORE_EMULATOR_HOST"], seed=7) as proxy:
        proxy.faults = [
            Fault(method="Commit", status="UNAVAILABLE", landed=True, share=0.3, times=None),
            Fault(method="Commit", status="DEADLINE_EXCEEDED", share=0.2, times=None),
        ]
        for stores in stores_at(proxy.host, project):
            with ThreadPoolExecutor(4) as pool:
                done = [replace(shard, outcomes=b"SUF", done=True) for shard in shards]
                list(pool.map(stores.shards.settle, done))
    expected = Tally(audience_size=36, sent=12, unknown=12, failed=12)
    assert others.shards.progress(EXECUTION.id) == expected


# Logs and violations


@pytest.mark.parametrize("status", IN_DOUBT)
def test_a_line_that_landed_is_in_the_log_once(
    status: str, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = lost(status)
    stores.logs.add(EXECUTION.id, LINE)
    stores.logs.add(EXECUTION.id, LINE)
    assert list(others.logs.of(EXECUTION.id)) == [LINE, LINE]


@pytest.mark.parametrize("status", IN_DOUBT)
def test_a_violation_that_landed_is_the_recorder_s(
    status: str, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = lost(status)
    assert stores.violations.record(VIOLATION)
    assert not others.violations.record(replace(VIOLATION, at=NOON + timedelta(seconds=1)))
    assert list(others.violations.of(EXECUTION.id)) == [VIOLATION]


def test_a_list_that_breaks_off_is_read_again_and_names_everything_once(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    lines = [replace(LINE, at=NOON + timedelta(seconds=second)) for second in range(5)]
    for line in lines:
        others.logs.add(EXECUTION.id, line)
    proxy.faults = [Fault(method="RunQuery", landed=True, answered=answered) for answered in (3, 1)]
    assert list(stores.logs.of(EXECUTION.id)) == lines
    assert proxy.calls["RunQuery"] == 3


# The ledger and the dead tokens


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("status", IN_DOUBT)
def test_the_ledger_reserves_once(
    status: str, landed: bool, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = [Fault(method="Commit", status=status, landed=landed, times=2)]
    assert stores.ledger.transact(7, [TODAY], reserve(b"a")) == b""
    assert packed(others) == b"a"


def test_the_ledger_reserves_once_though_others_reserve_before_it_is_repeated(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = lost(meanwhile=lambda: others.ledger.transact(7, [TODAY], reserve(b"b")))
    assert stores.ledger.transact(7, [TODAY], reserve(b"a")) == b""
    assert packed(others) == b"ab"


def test_the_ledger_reads_again_what_others_have_reserved_meanwhile(
    proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = [Fault(method="Commit", meanwhile=lambda: others.ledger.transact(7, [TODAY], reserve(b"b")))]
    assert stores.ledger.transact(7, [TODAY], reserve(b"a")) == b"b"
    assert packed(others) == b"ba"


def test_a_burial_happens_once(proxy: FaultyFirestore, stores: Stores, others: Stores) -> None:
    proxy.faults = lost(meanwhile=lambda: others.devices.bury(3, lambda graves: graves + b"theirs"))
    stores.devices.bury(3, lambda graves: graves + b"mine")
    assert others.devices.graves(range(3, 4)) == {3: b"minetheirs"}


def reserve(user: bytes) -> Callable[[Mapping[date, bytes]], tuple[dict[date, bytes], bytes]]:
    """Reserve as no real reservation does: a second time would count twice."""
    return lambda days: ({TODAY: days[TODAY] + user}, days[TODAY])


def packed(stores: Stores) -> bytes:
    days: Mapping[date, bytes] = stores.ledger.transact(7, [TODAY], lambda days: ({}, dict(days)))
    return days[TODAY]


# Trouble that does not pass

CALLS: dict[str, Callable[[Stores], object]] = {
    "executions.create": lambda stores: stores.executions.create(EXECUTION),
    "executions.get": lambda stores: stores.executions.get(EXECUTION.id),
    "executions.change": lambda stores: stores.executions.change(EXECUTION.id, counted),
    "executions.unfinished": lambda stores: stores.executions.unfinished(),
    "executions.search": lambda stores: stores.executions.search(ExecutionSearch(recipe_id="daily"), most=99),
    "shards.push": lambda stores: stores.shards.push(EXECUTION.id, 1),
    "shards.pushes": lambda stores: stores.shards.pushes([(EXECUTION.id, 1), (EXECUTION.id, 2)]),
    "shards.create": lambda stores: stores.shards.create(replace(SHARD, number=9)),
    "shards.get": lambda stores: stores.shards.get(EXECUTION.id, SHARD.key),
    "shards.progress": lambda stores: stores.shards.progress(EXECUTION.id),
    "shards.under_way": lambda stores: stores.shards.under_way(NOON),
    "shards.save": lambda stores: stores.shards.save(SHARD, only_while=State.LIVE),
    "shards.settle": lambda stores: stores.shards.settle(SHARD),
    "shards.of": lambda stores: stores.shards.of(EXECUTION.id),
    "logs.add": lambda stores: stores.logs.add(EXECUTION.id, LINE),
    "logs.of": lambda stores: stores.logs.of(EXECUTION.id),
    "violations.record": lambda stores: stores.violations.record(VIOLATION),
    "violations.unresolved": lambda stores: stores.violations.unresolved(most=3),
    "violations.resolve": lambda stores: stores.violations.resolve(EXECUTION.id, VIOLATION.id, NOON, "ann"),
    "violations.of": lambda stores: stores.violations.of(EXECUTION.id),
    "recipes.get": lambda stores: stores.recipes.get("daily"),
    "recipes.all": lambda stores: list(stores.recipes.all()),
    "segments.get": lambda stores: stores.segments.get("vips"),
    "segments.all": lambda stores: stores.segments.all(),
    "recipes.change": lambda stores: append(stores.recipes, "x"),
    "ledger.transact": lambda stores: stores.ledger.transact(7, [TODAY], reserve(b"a")),
    "ledger.rules": lambda stores: stores.ledger.rules(),
    "ledger.change_rules": lambda stores: stores.ledger.change_rules(DEFAULT_RULES, lambda _: DEFAULT_RULES, SAVED),
    "testers.all": lambda stores: stores.testers.all(),
    "testers.change": lambda stores: stores.testers.change(lambda _: (TESTER,), SAVED),
    "devices.graves": lambda stores: stores.devices.graves(range(2)),
    "devices.bury": lambda stores: stores.devices.bury(1, lambda graves: graves + b"x"),
}
ASKING = ("BeginTransaction", "BatchGetDocuments", "Commit", "RunQuery", "RunAggregationQuery", "Rollback")
LEDGER = ("ledger.transact", "ledger.rules")


def failing(status: str, methods: tuple[str, ...] = ASKING, **fault: Any) -> list[Fault]:
    return [Fault(method=method, status=status, times=None, **fault) for method in methods]


@pytest.mark.usefixtures("shard", "impatient")
@pytest.mark.parametrize("status", ["UNAVAILABLE", pytest.param("ABORTED", marks=pytest.mark.long)])
@pytest.mark.parametrize("call", CALLS)
def test_trouble_that_lasts_is_transient_after_a_while(
    call: str, status: str, proxy: FaultyFirestore, stores: Stores
) -> None:
    proxy.faults = failing(status)
    with pytest.raises(LedgerUnreadable if call in LEDGER else Transient, match="Firestore"):
        CALLS[call](stores)


@pytest.mark.usefixtures("shard")
@pytest.mark.parametrize("call", ["executions.create", "executions.change", "shards.save"])
def test_commits_that_land_are_recognised_though_none_is_ever_answered(
    call: str, proxy: FaultyFirestore, stores: Stores, others: Stores
) -> None:
    proxy.faults = lost(times=None)
    CALLS[call](stores)
    stored = others.executions.get(EXECUTION.id)
    assert stored is not None
    assert stored.recipe["count"] <= 1


@pytest.mark.usefixtures("shard", "impatient")
@pytest.mark.parametrize("call", CALLS)
def test_a_firestore_that_does_not_answer_is_not_waited_for_long(
    call: str, proxy: FaultyFirestore, stores: Stores
) -> None:
    proxy.faults = failing("UNAVAILABLE", late_seconds=0.2)
    with pytest.raises(Transient):
        CALLS[call](stores)


@pytest.mark.usefixtures("shard")
@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "NOT_FOUND"])
@pytest.mark.parametrize("call", CALLS)
def test_what_an_operator_has_to_change_names_the_setting_and_is_not_repeated(
    call: str, status: str, proxy: FaultyFirestore, stores: Stores
) -> None:
    proxy.faults = failing(status, ("BeginTransaction", "BatchGetDocuments", "RunQuery", "RunAggregationQuery"))
    if call in ("executions.create", "logs.add", "violations.record"):
        proxy.faults = failing(status, ("Commit",))
    with pytest.raises(LedgerUnreadable if call in LEDGER else Misconfigured, match="GOOGLE_CLOUD_PROJECT") as told:
        CALLS[call](stores)
    assert not isinstance(told.value, exceptions.GoogleAPICallError)
    assert max(proxy.calls.values()) == 1


@pytest.mark.usefixtures("shard")
def test_a_query_that_lacks_its_index_says_so(proxy: FaultyFirestore, stores: Stores) -> None:
    proxy.faults = failing("FAILED_PRECONDITION")
    with pytest.raises(Misconfigured, match="RunQuery fails"):
        stores.executions.search(ExecutionSearch(recipe_id="daily"), most=99)


@pytest.mark.usefixtures("shard")
@pytest.mark.parametrize("call", ["executions.change", "shards.save", "shards.settle"])
def test_a_write_that_is_refused_names_the_setting(call: str, proxy: FaultyFirestore, stores: Stores) -> None:
    proxy.faults = failing("PERMISSION_DENIED", ("Commit", "Rollback"))
    with pytest.raises(Misconfigured, match="GOOGLE_CLOUD_PROJECT: Firestore refuses: 403 Commit fails"):
        CALLS[call](stores)


def test_an_open_violation_of_an_older_release_is_found_by_its_recipe(stores: Stores) -> None:
    old = replace(VIOLATION, execution_id="daily_20260302T183000Z", recipe_id="daily")
    stores.violations.record(old)
    place = stores.client.document(f"executions/{old.execution_id}/violations/{old.id}")
    place.update({"recipeId": firestore.DELETE_FIELD})
    for _ in range(2):
        assert list(stores.violations.unresolved(most=9, recipe_id="daily")) == [old]
    assert place.get().get("recipeId") == "daily"
