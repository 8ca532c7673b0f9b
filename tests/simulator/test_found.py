"""What the simulator has found, as the few faults that it takes: fixed, and broken again without the fix."""

import pytest

from functions.domain.push import outcomes as delivery
from functions.usecases.sending import deliver, send_chunks
from functions.usecases.timeline import clean_up
from local.simulator.play.chance import Injected
from local.simulator.play.entry_points import hush
from local.simulator.play.simulation import simulate

RESERVED_TOO_LATE = (
    331,
    (
        ("task_late", "recipe-1_20260329T163000Z-send_push-1-g0#1/4:tasks.add"),
        ("fire_never", "reconcile-tminus@29-16:35#1"),
        ("stall", "recipe-1_20260329T163000Z-send_shard-1-1-g2#1/7:files.read"),
        ("stall", "recipe-1_20260329T163000Z-send_shard-1-1-g3#1/9:ledger.transact"),
    ),
)
"""Two workers stand still past their leases; the shard is closed; then they reserve."""
FAILED_THE_SECOND_TIME = (
    369,
    (
        ("fcm_reset_after", "recipe-3_20260308T063000Z-send_test-g0#1/recipe-3_20260308T063000Z/1:token-a"),
        ("unavailable", "recipe-3_20260308T063000Z-send_test-g0#2/15:logs.add"),
        ("fcm_reset_after", "recipe-3_20260308T063000Z-send_test-g0#3/recipe-3_20260308T063000Z/2:token-a"),
        ("crash_before", "recipe-3_20260308T063000Z-send_test-g0#4/6:shards.push"),
        ("fcm_dead", "recipe-3_20260308T063000Z-send_test-g0#5/recipe-3_20260308T063000Z/2:token-a"),
    ),
)
"""A message arrives, its answer is lost, and the token is called dead when it is sent once more."""
DEAD_SINCE_IT_WAS_RESERVED = (
    1795647372341,
    (
        ("preempt", "recipe-1_20261003T134000Z-send_shard-1-1-g0#1/13:ledger.transact"),
        ("crash_after", "recipe-1_20261003T134000Z-send_shard-2-1-g0#1/17:shards.under_way"),
        ("fcm_dead", "recipe-1_20261003T134000Z-send_shard-1-1-g0#1/recipe-1_20261003T134000Z/1:token-3-0"),
    ),
)
"""A worker reserves and dies; another push finds a token dead; the next worker leaves its user out."""
STOPPED_BY_SOMEBODY_WHO_WAS_CUT_OFF = (
    1795714753006,
    (
        ("hand", "event 15 recipe-2"),
        ("fcm_503", "recipe-2_20260617T035944Z-test-send_test-g0#1/recipe-2_20260617T035944Z-test/1:token-b"),
        ("stop_now", "recipe-2_20260617T035944Z-test-send_test-g0#2/2:executions.change"),
        ("crash_before", "stop within recipe-2_20260617T035944Z-test-send_test-g0#2/2/3:violations.of"),
    ),
)
"""Somebody stops a test of a recipe, and their process dies before it tells of it."""
NEXT_TASK_UNREADABLE = (
    199,
    (
        ("task_early", "tminus-recipe-1@04-16:00#1/9:tasks.add"),
        ("lost_response", "recipe-1_20260404T163000Z-send_push-1-g0#1"),
        ("task_early", "recipe-1_20260404T163000Z-send_push-1-g0#1/2:tasks.add"),
        ("old_payload", "recipe-1_20260404T163000Z-send_push-1-g0-n1#1"),
    ),
)
"""A task comes early twice, and what it put off in between has a body that no step can read."""

Case = tuple[int, tuple[tuple[str, str], ...]]


pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _quiet() -> None:
    hush()


def breaches(case: Case, *, swarm: bool = False) -> list[str]:
    seed, faults = case
    outcome = simulate(seed, swarm=swarm, only=[Injected(kind=kind, place=place) for kind, place in faults])
    assert len(outcome.injected) == len(faults), "the seed no longer plays these faults: find it again"
    return [breach.what for breach in outcome.breaches]


def test_what_was_reserved_for_a_closed_shard_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert breaches(RESERVED_TOO_LATE) == []
    monkeypatch.setattr(deliver, "_give_back_what_was_lost", lambda *_: None)
    assert "has a reservation for a push that never went to them" in breaches(RESERVED_TOO_LATE)[0]


def test_what_was_reserved_for_a_device_that_died_since_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert breaches(DEAD_SINCE_IT_WAS_RESERVED) == []
    monkeypatch.setattr(deliver, "_give_back_of_dead", lambda *_: None)
    assert "has a reservation for a push that never went to them" in breaches(DEAD_SINCE_IT_WAS_RESERVED)[0]


def test_a_message_that_may_have_arrived_stays_unknown_when_the_second_one_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert breaches(FAILED_THE_SECOND_TIME) == []

    def forgetful(before: int, code: int) -> int:
        return code if code == delivery.FAILED else delivery.result(before, code)

    monkeypatch.setattr(send_chunks, "result", forgetful)
    assert breaches(FAILED_THE_SECOND_TIME) == ["a test user got push 2, and its outcome is failed"]


def test_finishing_a_test_sends_the_alert_of_its_end_if_none_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert breaches(STOPPED_BY_SOMEBODY_WHO_WAS_CUT_OFF) == []
    monkeypatch.setattr(clean_up, "_raise_alerts", lambda *_: None)
    assert "no alert says that it is stopped, only []" in breaches(STOPPED_BY_SOMEBODY_WHO_WAS_CUT_OFF)


def test_a_push_whose_next_task_cannot_be_read_is_replaced_by_reconcile() -> None:
    assert breaches(NEXT_TASK_UNREADABLE, swarm=True) == []
