"""What people and programs ask for beside recipes, on Google's real clients before emulators."""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.usecases.by_hand.send_once import OneOff, send_once, try_once
from functions.usecases.cadence.filter_audience import filter_audience
from functions.usecases.cadence.import_history import import_history
from functions.usecases.cadence.track import track_notification
from functions.usecases.moving_in.migrate import OldDocument, migrate
from functions.usecases.reports.history import notifications_of
from local.sample import generate
from tests.factories import old_push
from tests.functional.cloud_lab import CloudLab, cloud_lab

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BEFORE = "2026-05-03T12:00:00Z"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(folder, users=200, seed=1, at=NOON)
    return folder


@pytest.fixture
def owners(data: Path) -> list[str]:
    """Users who have a device."""
    with (data / "devices.csv").open(encoding="utf-8", newline="") as file:
        return sorted({row["user_id"] for row in csv.DictReader(file)})[:6]


@pytest.fixture
def lab(emulators: Mapping[str, str], data: Path, tmp_path: Path) -> Iterator[CloudLab]:
    del emulators
    with ExitStack() as stack:
        yield stack.enter_context(cloud_lab(tmp_path, NOON, data))


@pytest.mark.long
def test_a_push_is_sent_once_to_the_users_of_a_file_that_cadence_lets_through(
    lab: CloudLab, owners: list[str]
) -> None:
    ports = lab.ports
    track_notification(ports, {"userId": owners[0], "layerId": 3, "sentAt": BEFORE})
    history = f"user_id,layer,sent_at\n{owners[1]},3,{BEFORE}\n{owners[0]},3,{BEFORE}\n".encode()
    report = import_history(ports, io.BytesIO(history), dry_run=False)
    assert (report.imported, report.duplicates) == (1, 1)
    assert filter_audience(ports, owners, 3).excluded == {"layer_3_cooldown": 2}
    push = OneOff(written={"title": "Hi [[var:name]]", "body": "b", "layerId": 3})
    content = "\n".join(["user_id,name", *(f"{user},Jo" for user in owners)]).encode()
    tried = try_once(ports, push, io.BytesIO(content), by="ann@example.com")
    assert tried.totals.excluded == {"layer_3_cooldown": 2}
    made = {send_once(ports, push, io.BytesIO(content), by="ann@example.com", key="k").id for _ in range(2)}
    lab.cloud.run_until(NOON + timedelta(hours=1))
    [execution] = made
    told = lab.report(execution)
    assert (told["status"], told["totals"]["sent"], told["totals"]["excluded"]) == (
        "completed",
        4,
        {"layer_3_cooldown": 2},
    )
    assert sum(lab.sent().values()) == 4
    found = notifications_of(ports, owners[2], until=NOON + timedelta(hours=1), days=2).notifications
    assert [(push.execution_id, push.title) for push in found] == [(execution, "Hi Jo")]


def test_old_pushes_become_recipes_once(lab: CloudLab) -> None:
    document = old_push(scheduledFor="2026-05-05T09:00:00Z", audienceCriteria={"filters": {"minLifetimeTrades": 0}})
    documents = [OldDocument(name="old", content=document)]
    for outcome in ("created", "unchanged"):
        [found] = migrate(lab.ports, documents, by="ann@example.com", dry_run=False)
        assert found.outcome == outcome
    assert [job.name for job in lab.ports.schedules.all() if job.function == "launch"] == ["tminus-push-p1"]
