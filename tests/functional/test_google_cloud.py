"""Whole executions through Google's real clients, on emulators: from the scheduler to the phones."""

import csv
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.domain.execution.execution import Execution, State
from functions.usecases.timeline.control import cancel, stop
from local.sample import generate
from local.standins.cloud_tasks import Duplicate, Outlive, Reorder, Script, Share
from local.standins.fcm import Script as FcmScript
from local.standins.fcm import answers
from tests.factories import TESTER, executions_of
from tests.functional.cloud_lab import CloudLab, cloud_lab

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WELCOME, REACTIVATION = "new-user-welcome_20260504T150000Z", "sneaker-reactivation_20260504T223000Z"
SEND_AT = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
LATE = SEND_AT + timedelta(hours=1)
EVERYTHING_AT_ONCE = Script(deliveries=[Share(fault=Duplicate(copies=41), url="launch")])
THRICE_AND_REORDERED = Script(
    deliveries=[
        Share(fault=Duplicate(copies=2, after=timedelta(seconds=20))),
        Share(fault=Reorder(within=timedelta(seconds=90))),
    ]
)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(folder, users=3_000, seed=1, at=NOON)
    return folder


@pytest.fixture
def open_lab(emulators: Mapping[str, str], data: Path, tmp_path: Path) -> Iterator[Callable[..., CloudLab]]:
    del emulators
    with ExitStack() as stack:
        yield lambda at: stack.enter_context(cloud_lab(tmp_path, at, data))


@pytest.mark.long
def test_both_sample_recipes_run_from_the_scheduler_to_the_phones(open_lab: Callable[..., CloudLab]) -> None:
    lab = open_lab(NOON + timedelta(hours=2, minutes=29))
    for name in ("new-user-welcome", "sneaker-reactivation"):
        lab.save(name)
    lab.cloud.run_until(LATE)
    lab.assert_contract(WELCOME, REACTIVATION)
    totals = [_totals(lab, execution) for execution in (WELCOME, REACTIVATION)]
    assert [state for state, _ in totals] == ["completed", "completed"]
    assert min(sent for _, sent in totals) > 20
    assert sum(lab.sent().values()) == sum(sent for _, sent in totals) + 2 * 5 + 3
    assert [e.recipe_id for e in lab.ports.executions.unfinished()] == []


@pytest.mark.long
def test_42_fires_of_one_slot_make_one_execution_and_one_set_of_messages(open_lab: Callable[..., CloudLab]) -> None:
    lab = open_lab(SEND_AT - timedelta(minutes=31))
    lab.cloud.script = EVERYTHING_AT_ONCE
    lab.save("sneaker-reactivation")
    lab.cloud.run_until(LATE)
    launches = [request for request in lab.cloud.requests if request.url.endswith("/launch")]
    assert (len(launches), {request.status for request in launches}) == (42, {200})
    assert [each.id for each in executions_of(lab.ports, "sneaker-reactivation")] == [REACTIVATION]
    _assert_sent_once(lab)


@pytest.mark.long
def test_every_task_thrice_and_out_of_order_sends_once(open_lab: Callable[..., CloudLab]) -> None:
    lab = open_lab(SEND_AT - timedelta(minutes=31))
    lab.cloud.script = THRICE_AND_REORDERED
    lab.save("sneaker-reactivation")
    lab.cloud.run_until(LATE + timedelta(minutes=10))
    _assert_sent_once(lab)


@pytest.mark.long
@pytest.mark.parametrize("function", ["build-audience", "send-shard", "finish"])
def test_attempts_that_outlive_their_deadlines_send_once(open_lab: Callable[..., CloudLab], function: str) -> None:
    """The old attempt runs beside the new one."""
    lab = open_lab(SEND_AT - timedelta(minutes=31))
    lab.cloud.script = Script(deliveries=[Share(fault=Outlive(), times=1, url=function)])
    lab.save("sneaker-reactivation")
    lab.cloud.run_until(LATE + timedelta(hours=1))
    _assert_sent_once(lab)


@pytest.mark.long
@pytest.mark.parametrize(
    "grant",
    [
        "tminus-send-push: roles/cloudtasks.enqueuer on queue tminus-shards",
        "tminus-task-caller: roles/run.invoker on service tminus-send-shard",
    ],
)
def test_without_one_of_its_rights_nothing_is_sent(
    emulators: Mapping[str, str], data: Path, tmp_path: Path, grant: str
) -> None:
    """Else the stand-ins would not show which rights a deployment lacks."""
    del emulators
    with cloud_lab(tmp_path, SEND_AT - timedelta(minutes=31), data, without=grant) as lab:
        lab.save("sneaker-reactivation")
        lab.cloud.run_until(SEND_AT + timedelta(minutes=10))
        assert sum(lab.sent().values()) <= 3, "at most the test pushes"


@pytest.mark.parametrize(
    ("at", "act", "state"),
    [
        (SEND_AT - timedelta(minutes=5), cancel, "cancelled"),
        pytest.param(SEND_AT + timedelta(seconds=90), stop, "stopped", marks=pytest.mark.long),
    ],
)
def test_nothing_leaves_after_a_cancel_or_a_stop(
    open_lab: Callable[..., CloudLab], at: datetime, act: Callable[..., Any], state: str
) -> None:
    lab = open_lab(SEND_AT - timedelta(minutes=31))
    lab.save("sneaker-reactivation")
    lab.cloud.run_until(at)
    before = lab.sent()
    act(lab.ports, REACTIVATION, "somebody said so")
    lab.cloud.run_until(LATE)
    assert lab.sent() == before
    assert lab.report(REACTIVATION)["status"] == state
    lab.assert_contract(REACTIVATION)


@pytest.mark.long
@pytest.mark.parametrize(
    "at",
    [
        pytest.param(SEND_AT - timedelta(minutes=5), id="tested"),
        pytest.param(SEND_AT + timedelta(seconds=90), id="live"),
    ],
)
@pytest.mark.parametrize("what", ["snapshot", "state"])
def test_an_execution_that_a_release_cannot_read_ends_cleaned_up(
    open_lab: Callable[..., CloudLab], at: datetime, what: str
) -> None:
    lab = open_lab(SEND_AT - timedelta(minutes=31))
    lab.save("sneaker-reactivation")
    lab.cloud.run_until(at)
    before = lab.sent()
    if what == "state":
        firestore: Any = lab.ports.executions._documents._client  # type: ignore[attr-defined]
        firestore.document(f"executions/{REACTIVATION}").update({"state": "hibernating"})
    else:
        lab.ports.executions.change(REACTIVATION, _of_another_release)
    lab.cloud.run_until(LATE)
    execution = lab.ports.executions.get(REACTIVATION)
    assert execution is not None
    assert (execution.state, execution.cleaned) == (State.FAILED, True)
    assert lab.sent() == before
    assert [each["type"] for each in lab.report(REACTIVATION)["violations"]] == ["unreadable"]
    assert list(lab.ports.executions.unfinished()) == []
    lab.assert_contract(REACTIVATION)


def _of_another_release(execution: Execution) -> Execution:
    return replace(execution, recipe={**execution.recipe, "schedule": "by the moon"})


@pytest.mark.long
def test_a_phone_gets_its_owners_pushes_alone_and_a_dead_one_is_followed_by_the_next(
    emulators: Mapping[str, str], data: Path, tmp_path: Path
) -> None:
    """A phone that changed hands, and a user whose newest token dies at the first day's push."""
    del emulators
    with (data / "users.csv").open(encoding="utf-8", newline="") as file:
        alive = [row["id"] for row in csv.DictReader(file) if row["deleted_at"] == "0"]
    with (data / "user_admin_informations.csv").open(encoding="utf-8", newline="") as file:
        frozen = {row["user_id"] for row in csv.DictReader(file) if row["freeze_reason"]}
    users = [user for user in alive if user not in frozen][:3]
    before, owner, two = users
    devices = [(before, "phone", 1), (owner, " phone", 2), (two, "old", 1), (two, "newest", 2), (TESTER, "test", 1)]
    lines = [f"{user},{token},ios,2026-01-0{day}T00:00:00Z" for user, token, day in devices]
    phones = tmp_path / "phones"
    shutil.copytree(data, phones)
    (phones / "devices.csv").write_text("\n".join(["user_id,token,platform,updated_at", *lines]), encoding="utf-8")
    with cloud_lab(tmp_path, SEND_AT - timedelta(minutes=31), phones) as lab:
        lab.fcm.script = FcmScript(tokens={"newest": answers.UNREGISTERED})
        lab.save("sneaker-reactivation", lambda document: _to(document, users))
        lab.cloud.run_until(LATE + timedelta(days=1))
        sent = Counter(token for token, _ in lab.sent())
        assert sent == {"test": 2, "phone": 2, "newest": 1, "old": 1}
        days = [REACTIVATION, "sneaker-reactivation_20260505T223000Z"]
        lab.assert_contract(*days)
        assert [lab.report(day)["pushes"][0]["excluded"] for day in days] == [{"no_token": 1}] * 2


def _to(document: dict[str, Any], users: list[str]) -> dict[str, Any]:
    pushes = [{"sequenceOrder": 1, "title": "Hi [[var:username|you]]", "body": "There", "layerId": 1}]
    settings = {**document["settings"], "testUserIds": [TESTER]}
    return {**document, "audienceCriteria": {"manualUserIds": users}, "pushSequence": pushes, "settings": settings}


def _assert_sent_once(lab: CloudLab) -> None:
    lab.assert_contract(REACTIVATION)
    state, sent = _totals(lab, REACTIVATION)
    assert state == "completed"
    assert sum(lab.sent().values()) == sent + 3


def _totals(lab: CloudLab, execution: str) -> tuple[str, int]:
    report = lab.report(execution)
    return report["status"], report["totals"]["sent"]
