"""Cancel, stop, pause, edit, delete: the first one wins, and nothing is sent after a no."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import State
from functions.domain.push.outcomes import Chunk, Envelope, Outcome
from functions.ports import Ports
from functions.ports.sending import PushSender
from functions.usecases.recipes.save import delete_recipe, pause_recipe, resume_recipe
from functions.usecases.timeline.control import cancel, stop
from tests.factories import executions_of, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
MakeLab = Callable[..., Lab]


@pytest.mark.slow
@pytest.mark.parametrize("before", [30 * MINUTE, 20 * MINUTE, MINUTE, SECOND])
def test_a_cancel_before_t0_sends_nothing_live(before: timedelta, lab: Lab) -> None:
    lab.run_to(SEND_AT - before)
    cancel(lab.ports, lab.id, "wrong shoes")
    lab.run_to_the_end()
    numbers = lab.report()
    assert (numbers["status"], numbers["reason"]) == ("cancelled", "wrong shoes")
    assert lab.outbox(test=False) == []
    assert numbers["totals"]["notReached"] == numbers["totals"]["audienceSize"] == 9
    assert not (lab.state / "devices" / lab.id).exists()


def test_a_cancel_after_t0_is_refused_and_says_so(lab: Lab) -> None:
    lab.run_to(SEND_AT)
    with pytest.raises(NotPossible, match="is live: it can no longer be cancelled"):
        cancel(lab.ports, lab.id, "too late")
    lab.run_to_the_end()
    assert len(lab.outbox(test=False)) == 9


def test_cancelling_twice_changes_nothing(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    cancel(lab.ports, lab.id, "first")
    cancel(lab.ports, lab.id, "second")
    assert lab.execution().reason == "first"


@pytest.mark.slow
def test_a_stop_between_two_pushes_sends_no_further_one(lab: Lab) -> None:
    lab.run_to(SEND_AT + 3 * MINUTE)
    stop(lab.ports, lab.id, "wrong link")
    lab.run_to_the_end()
    assert lab.report()["status"] == "stopped"
    assert [push["sent"] for push in lab.report()["pushes"]] == [4, 3, 0]
    assert [push["notReached"] for push in lab.report()["pushes"]] == [0, 0, 2]
    lab.assert_contract()


class _StopsDuring(PushSender):
    """Somebody presses emergency stop while the first chunk is on its way."""

    def __init__(self, ports: Ports, inner: PushSender) -> None:
        self._ports, self._inner = ports, inner

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        return self._inner.send(envelope, chunks if envelope.test else self._stopping(envelope, chunks))

    def _stopping(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            stop(self._ports, envelope.execution_id, "stop!")
            yield chunk


@pytest.mark.slow
def test_a_stop_during_a_chunk_lets_it_end_and_starts_no_other(make_lab: MakeLab) -> None:
    lab = make_lab(chunk_rows=2, wrap=lambda ports: replace(ports, sender=_StopsDuring(ports, ports.sender)))
    lab.save(recipe(pushSequence=[dict(push, layerId=3) for push in recipe()["pushSequence"]]))
    lab.run_to_the_end()
    first = lab.report()["pushes"][0]
    assert (first["sent"], first["notReached"], lab.report()["status"]) == (2, 2, "stopped")
    lab.assert_contract()


@pytest.mark.long
def test_users_that_a_stop_spared_are_free_for_the_next_push(make_lab: MakeLab) -> None:
    lab = make_lab(chunk_rows=2, wrap=lambda ports: replace(ports, sender=_StopsDuring(ports, ports.sender)))
    lab.save(recipe(pushSequence=[dict(recipe()["pushSequence"][0], layerId=3)]))
    lab.run_to_the_end()
    lab.wrap = lambda ports: ports
    lab.restart()
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    tomorrow = lab.report("welcome_20260303T183000Z")["pushes"][0]
    assert (tomorrow["sent"], tomorrow["excluded"]) == (2, {"layer_3_cooldown": 2})


@pytest.mark.long
def test_a_pause_before_t0_cancels_and_leaves_no_schedule(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    pause_recipe(lab.ports, "welcome", by="ops@example.com")
    assert [job.name for job in lab.ports.schedules.all()] == ["reconcile-tminus"]
    lab.run_to(SEND_AT + timedelta(days=2))
    assert lab.outbox(test=False) == []
    assert lab.report()["reason"] == "its recipe is paused"


@pytest.mark.long
def test_a_pause_during_the_live_phase_leaves_that_execution_alone(lab: Lab) -> None:
    lab.run_to(SEND_AT + MINUTE)
    pause_recipe(lab.ports, "welcome", by="ops@example.com")
    lab.run_to(SEND_AT + timedelta(days=2))
    assert lab.report()["status"] == "completed"
    assert len(executions_of(lab.ports, "welcome")) == 1


@pytest.mark.long
def test_a_resumed_recipe_runs_from_the_next_send_on_that_can_be_prepared(lab: Lab) -> None:
    pause_recipe(lab.ports, "welcome", by="ops@example.com")
    lab.run_to(SEND_AT - 9 * MINUTE)
    resume_recipe(lab.ports, "welcome", by="ops@example.com")
    lab.run_to(SEND_AT + timedelta(hours=1))
    assert executions_of(lab.ports, "welcome") == []
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    assert len(lab.outbox(test=False)) == 9


@pytest.mark.long
@pytest.mark.usefixtures("reconciling_every_5_minutes")
def test_an_edited_time_moves_the_one_schedule(lab: Lab) -> None:
    lab.save(recipe(schedule__executionTime="19:45"))
    assert sorted(job.cron for job in lab.ports.schedules.all()) == ["*/5 * * * *", "15 19 * * *"]
    lab.run_to(SEND_AT + timedelta(hours=3))
    assert {message["executionId"] for message in lab.outbox()} == {"welcome_20260302T194500Z"}


@pytest.mark.long
def test_an_edit_under_way_leaves_the_snapshot_alone(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    document = recipe()
    document["pushSequence"][0]["title"] = "Edited"
    lab.save(document)
    lab.run_to_the_end()
    assert {message["title"] for message in lab.outbox(test=False) if message["push"] == 1} == {
        f"Push 1 for Name {n}" for n in range(4)
    }
    lab.run_to(SEND_AT + timedelta(days=1, hours=1))
    assert "Edited" in {message["title"] for message in lab.outbox(test=False)}


@pytest.mark.long
def test_a_deleted_recipe_sends_nothing_more(lab: Lab) -> None:
    lab.run_to(SEND_AT - MINUTE)
    delete_recipe(lab.ports, "welcome", by="ops@example.com")
    lab.run_to(SEND_AT + timedelta(days=2))
    assert lab.report()["status"] == "cancelled"
    assert lab.outbox(test=False) == []
    assert [job.name for job in lab.ports.schedules.all()] == ["reconcile-tminus"]


@pytest.mark.parametrize("saves", [1, 5])
def test_saving_again_and_again_leaves_one_schedule(saves: int, lab: Lab) -> None:
    for _ in range(saves):
        lab.save()
    assert sorted(job.name for job in lab.ports.schedules.all()) == ["reconcile-tminus", "tminus-welcome"]


@pytest.mark.slow
@pytest.mark.parametrize("at", [START_AT, SEND_AT - 10 * MINUTE, SEND_AT + MINUTE])
def test_a_stop_at_any_time_ends_the_execution(at: object, lab: Lab) -> None:
    lab.run_to(at)  # type: ignore[arg-type]
    stop(lab.ports, lab.id, "stop")
    lab.run_to_the_end()
    assert lab.execution().state is State.STOPPED
    lab.assert_contract()
