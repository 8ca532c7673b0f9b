"""What every Expiry does: it deletes whole executions, and what has expired."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.domain.access import AccessEntry, SubjectKind
from functions.domain.alerts.alert import Alert
from functions.domain.alerts.outgoing import PATIENCE, OutgoingAlert
from functions.domain.cadence.rule_changes import MOST_HOURS
from functions.domain.execution.execution import Execution
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.ids import send_instant_of
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.retention import ALERTS, LAST_RESORT, LEAST_EXECUTION_DAYS, LEDGER
from functions.ports.executions import LogEntry
from functions.stores.executions import EXECUTIONS, LOGS
from functions.stores.shards import PUSHES, SHARDS
from functions.stores.violations import VIOLATIONS
from functions.usecases.reports.history import MOST_DAYS

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FINDING = Finding(type=ViolationType.NOT_REACHED, severity=Severity.WARNING, message="late", action="none")
LINE = LogEntry(at=NOON, phase="live_execution", level="info", message="sent")


def a_violation(execution: Execution) -> Violation:
    return Violation(id="late", execution_id=execution.id, recipe_id="daily", at=NOON, finding=FINDING)


def fill(ports: Any, execution: Execution, shard: Shard, push: PushFiles) -> None:
    ports.executions.create(execution)
    ports.shards.save_push(push)
    ports.shards.settle(replace(ports.shards.create(shard), done=True, outcomes=b"SSS"))
    ports.violations.record(a_violation(execution))
    ports.logs.add(execution.id, LINE)


def test_a_deleted_execution_takes_everything_along_that_belongs_to_it_and_nothing_else(
    ports: Any, open_ports: Any, an_execution: Callable[..., Execution], a_shard: Any, a_push: Any
) -> None:
    other = an_execution(id="daily_20261124T180000Z")
    fill(ports, an_execution(), a_shard(), a_push(1))
    fill(ports, other, a_shard(execution_id=other.id), replace(a_push(1), execution_id=other.id))
    for _ in range(2):
        open_ports().expiry.delete_execution(an_execution().id)
    left = open_ports()
    held = [
        (left.executions.get(each), left.shards.of(each), left.shards.push(each, 1), left.logs.of(each))
        for each in (an_execution().id, other.id)
    ]
    assert held[0] == (None, [], None, [])
    assert all(held[1])
    assert [len(left.violations.of(each)) for each in (an_execution().id, other.id)] == [0, 1]
    assert (left.shards.progress(an_execution().id), left.shards.progress(other.id).sent) == (Tally(), 3)


def test_alerts_request_keys_and_days_are_deleted_once_they_have_expired(ports: Any, request: Any) -> None:
    if "google_cloud" in request.node.name:
        pytest.skip("Firestore deletes them by itself")
    alert = Alert(kind="finished", execution_id="e", message="done")
    ports.alert_store.record(OutgoingAlert(alert=alert, at=NOON, channels=("all",), quiet_since=NOON))
    ports.accesses.add(AccessEntry(id="a", at=NOON, by="ann", route="r", kind=SubjectKind.JOB, subject="j"))
    ports.request_keys.claim("a", {"n": 1}, NOON + timedelta(days=7))
    midnight, day = datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 23)
    ports.ledger.transact(1, [day], lambda _: ({day: b"packed"}, None))

    def held() -> tuple[int, int, int]:
        packed = ports.ledger.transact(1, [day], lambda packed: ({}, packed[day]))
        return len(ports.alert_store.waiting(NOON)), ports.request_keys.claim("a", {"n": 2}, NOON)["n"], len(packed)

    ports.expiry.expire(NOON + timedelta(days=6))
    assert held() == (1, 1, 6)
    ports.expiry.expire(NOON + timedelta(days=8))
    assert held() == (1, 2, 6)
    assert len(ports.accesses.newest(most=5)) == 1
    ports.expiry.expire(NOON + ALERTS)
    assert ports.accesses.newest(most=5) == []
    assert held() == (0, 2, 6)
    ports.expiry.expire(midnight + LEDGER - timedelta(seconds=1))
    assert held() == (0, 2, 6)
    ports.expiry.expire(midnight + LEDGER)
    assert held() == (0, 2, 0)


def test_what_belongs_to_an_execution_expires_by_itself_long_after_its_send(
    an_execution: Callable[..., Execution], a_shard: Any, a_push: Any
) -> None:
    fields = (
        EXECUTIONS.fields(an_execution()),
        SHARDS.fields(a_shard()),
        PUSHES.fields(a_push(1)),
        VIOLATIONS.fields(a_violation(an_execution())),
    )
    assert {each["expireAt"] for each in fields} == {datetime(2026, 11, 23, 18, tzinfo=UTC) + timedelta(days=1_100)}
    assert LOGS.fields(LINE)["expireAt"] == NOON + LAST_RESORT


def test_nothing_that_looks_back_looks_further_than_what_it_reads_is_kept() -> None:
    rules, history = timedelta(hours=MOST_HOURS), timedelta(days=MOST_DAYS)
    assert max(rules, history) < LEDGER
    assert timedelta(days=LEAST_EXECUTION_DAYS) > history
    assert ALERTS > PATIENCE


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("a_b_20261123T180000Z", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("a_20261123T180000Z-test-a1", datetime(2026, 11, 23, 18, tzinfo=UTC)),
        ("e1", None),
    ],
)
def test_the_send_instant_is_read_from_an_id(name: str, at: datetime | None) -> None:
    assert send_instant_of(name) == at
