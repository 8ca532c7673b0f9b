"""What an execution leaves behind of every user, and what it remembers of devices."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.domain.errors import BadInput
from functions.domain.ids import UserIdFormat
from functions.domain.push.outcomes import Outcome
from functions.usecases.reports.history import user_history
from functions.usecases.timeline.control import stop
from local.embedded.outbox import OutcomeScript
from tests.factories import TESTER, push, recipe, user
from tests.functional.conftest import SEND_AT, Lab

MakeLab = Callable[..., Lab]
DAY = timedelta(days=1)
TOMORROW = "welcome_20260303T183000Z"


def receipt(lab: Lab, execution: str = "") -> list[dict[str, str]]:
    text = (lab.state / "receipts" / f"{execution or lab.id}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.slow
def test_a_receipt_names_every_user_of_every_push_with_the_outcome(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): Outcome.BAD_MESSAGE, user(5): Outcome.UNKNOWN}))
    lab.write_users({"a": range(4), "b": range(4, 7), "c": range(7, 9)}, without_token=[2])
    lab.save()
    lab.run_to_the_end()
    rows = receipt(lab)
    found = {(row["push"], row["audience"], row["user_id"]): (row["outcome"], row["reason"]) for row in rows}
    expected = {("1", "a", user(n)): ("sent", "") for n in range(4)}
    expected |= {("2", "b", user(n)): ("sent", "") for n in range(4, 7)}
    expected |= {("3", "c", user(n)): ("sent", "") for n in range(7, 9)}
    expected |= {
        ("1", "a", user(1)): ("failed", ""),
        ("1", "a", user(2)): ("excluded", "no_token"),
        ("2", "b", user(5)): ("unknown", "no_answer"),
    }
    assert found == expected
    assert len(rows) == 9


@pytest.mark.long
def test_a_receipt_after_a_stop_says_who_was_not_reached(make_lab: MakeLab) -> None:
    lab = make_lab(shard_rows=2)
    lab.save()
    lab.run_to(SEND_AT + timedelta(minutes=3))
    stop(lab.ports, lab.id, "stop!")
    lab.run_to_the_end()
    outcomes = Counter((row["push"], row["outcome"]) for row in receipt(lab))
    assert outcomes == {("1", "sent"): 4, ("2", "sent"): 3, ("3", "not_reached"): 2}


@pytest.mark.long
def test_a_cancelled_execution_has_a_receipt_too_and_one_without_audiences_has_none(lab: Lab) -> None:
    lab.run_to(SEND_AT - timedelta(minutes=1))
    stop(lab.ports, lab.id, "stop!")
    lab.run_to(SEND_AT + DAY - timedelta(minutes=30), inclusive=False)
    assert Counter(row["outcome"] for row in receipt(lab)) == {"not_reached": 9}
    lab.clock.advance_to(SEND_AT + DAY - timedelta(minutes=30))
    lab.launch(SEND_AT + DAY - timedelta(minutes=30))
    stop(lab.ports, TOMORROW, "stop!")
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert lab.execution(TOMORROW).cleaned
    assert not (lab.state / "receipts" / f"{TOMORROW}.csv").exists()


@pytest.mark.slow
def test_a_receipt_lets_no_user_id_run_as_a_formula(make_lab: MakeLab) -> None:
    lab = make_lab(user_id_format=UserIdFormat.ANY)
    lab.write_rows([('=HYPERLINK("x")', "s", "n", "a"), ("plain", "s", "n", "b"), ("@c", "s", "n", "c")])
    lab.save()
    lab.run_to_the_end()
    assert sorted(row["user_id"] for row in receipt(lab)) == ['\'=HYPERLINK("x")', "'@c", "plain"]


@pytest.mark.long
def test_a_dead_token_is_subtracted_when_the_audience_is_built(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): Outcome.DEAD_TOKEN}))
    lab.save()
    lab.run_to(SEND_AT + DAY - timedelta(minutes=1))
    told = [entry.message for entry in lab.ports.logs.of(TOMORROW)]
    assert "push 1: 4 users in a, 3 devices to send to" in told
    [devices] = (lab.state / "devices" / TOMORROW).glob("1-a.csv")
    assert f"token-{user(1)}" not in devices.read_text()
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert lab.report(TOMORROW)["pushes"][0]["excluded"] == {"dead_token": 1}


@pytest.mark.slow
def test_a_token_that_dies_after_the_audience_was_built_is_subtracted_at_the_send(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): Outcome.DEAD_TOKEN}))
    lab.save(recipe(pushSequence=[push(1, audienceName="a"), push(2, audienceName="a")]))
    lab.run_to_the_end()
    first, second = lab.report()["pushes"]
    assert (first["failed"], second["failed"], second["excluded"]) == (1, 0, {"dead_token": 1})


@pytest.mark.long
def test_a_dead_token_that_the_app_registers_again_is_sent_to(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): Outcome.DEAD_TOKEN, user(2): Outcome.DEAD_TOKEN}))
    lab.save()
    lab.run_to_the_end()
    lab.script = OutcomeScript()
    lab.restart()
    devices = [(user(number), f"token-{user(number)}", "ios", "2026-03-01 00:00:00+00") for number in range(4)]
    devices[1] = (*devices[1][:3], "2026-03-03 09:00:00+00")
    devices.append((TESTER, "tester's", "ios", "2026-03-01 00:00:00+00"))
    lab.write_table("devices", ("user_id", "token", "platform", "updated_at"), devices)
    lab.run_to(SEND_AT + DAY + timedelta(hours=1))
    assert {row["user_id"]: row["outcome"] for row in receipt(lab, TOMORROW) if row["push"] == "1"} == {
        user(0): "sent",
        user(1): "sent",
        user(2): "excluded",
        user(3): "sent",
    }


@pytest.mark.long
def test_a_token_is_tried_again_after_sixty_days(make_lab: MakeLab) -> None:
    lab = make_lab(script=OutcomeScript(by_user={user(1): Outcome.DEAD_TOKEN}))
    once = {"timezone": "UTC", "frequency": "once", "executionTime": "18:30", "startDate": "2026-03-02"}
    lab.save(recipe(schedule=once))
    lab.run_to_the_end()
    late = SEND_AT + timedelta(days=61)
    lab.clock.advance_to(late - timedelta(hours=1))
    lab.save(recipe(schedule=once | {"startDate": f"{late:%Y-%m-%d}"}))
    lab.run_to(late + timedelta(hours=1))
    numbers = lab.report(f"welcome_{late:%Y%m%dT%H%M%SZ}")["pushes"][0]
    assert (numbers["excluded"], numbers["failed"]) == ({}, 1)


@pytest.mark.slow
def test_a_users_pushes_can_be_looked_up(lab: Lab) -> None:
    pushes = [push(1, layerId=3, audienceName="a"), push(2, layerId=5, audienceName="a"), push(3)]
    lab.save(recipe(pushSequence=pushes))
    lab.run_to_the_end()
    found = user_history(lab.ports, user(1), until=SEND_AT + timedelta(hours=1), days=7)
    assert [(entry.push, entry.layer, entry.at) for entry in found] == [
        (f"{lab.id}/1", 3, SEND_AT),
        (f"{lab.id}/2", 5, SEND_AT + timedelta(minutes=2)),
    ]
    assert user_history(lab.ports, user(999), until=SEND_AT, days=7) == []
    assert user_history(lab.ports, user(1), until=SEND_AT + 20 * DAY, days=7) == []


@pytest.mark.parametrize(("user_id", "days"), [("stranger", 7), (user(1), 0), (user(1), 91)])
def test_a_look_up_that_means_nothing_is_refused(user_id: str, days: int, lab: Lab) -> None:
    with pytest.raises(BadInput):
        user_history(lab.ports, user_id, until=SEND_AT, days=days)
