"""Timeline, states, outcomes, safeguards and ids: the small rules."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.delivery import EXCLUDED, Outcome, Tally, payload_bytes, row_code, tally
from functions.domain.errors import NotPossible
from functions.domain.execution import TRANSITIONS, Execution, State
from functions.domain.ids import UserIdFormat, canonical_user_id, is_user_id, task_name, user_key
from functions.domain.recipe import parse
from functions.domain.safeguards import Limits, failure_finding, recipe_errors
from functions.domain.timeline import Phase, PushTiming, plan
from tests.factories import push, recipe

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minutes_before(lead: int, window: int) -> list[float]:
    made = plan(
        send_at=SEND_AT, lead=lead * MINUTE, window=window * MINUTE, zone=ZoneInfo("UTC"), timings=[PushTiming()]
    )
    return [(SEND_AT - at) / MINUTE for at in (made.build_at, made.test_at, made.window_at, made.finish_at)]


def test_the_default_phases_are_at_30_25_and_22_minutes() -> None:
    assert minutes_before(30, 25) == [30, 25, 22, -10]


def test_other_lead_times_scale_the_phases() -> None:
    assert minutes_before(3, 25) == pytest.approx([3, 2.5, 2.2, -10])
    assert minutes_before(60, 25) == [60, 25, 22, -10]


def test_a_push_follows_by_minutes_or_at_a_wall_clock_time() -> None:
    timings = [PushTiming(delay_minutes=99), PushTiming(delay_minutes=5), PushTiming(at=time(9, 0))]
    zone = ZoneInfo("America/New_York")
    made = plan(send_at=SEND_AT, lead=30 * MINUTE, window=25 * MINUTE, zone=zone, timings=timings)
    nine = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
    assert made.push_at == (SEND_AT, SEND_AT + 5 * MINUTE, nine)
    assert made.finish_at == nine + 10 * MINUTE


def execution(state: State = State.LAUNCHED) -> Execution:
    return Execution(
        id="e", recipe_id="r", recipe=recipe(), send_at=SEND_AT, created_at=SEND_AT, claim="c", state=state
    )


@pytest.mark.parametrize("state", [state for state in State if state.final])
@pytest.mark.parametrize("to", list(State))
def test_nothing_leaves_a_final_state(state: State, to: State) -> None:
    with pytest.raises(NotPossible, match=f"is {state.value}: it can no longer be {to.value}"):
        execution(state).to(to, SEND_AT)


def test_every_state_can_end_and_only_live_can_complete() -> None:
    assert all(any(to.final for to in TRANSITIONS[state]) for state in State if not state.final)
    assert [state for state in State if State.COMPLETED in TRANSITIONS[state]] == [State.LIVE]
    assert State.CANCELLED not in TRANSITIONS[State.LIVE]


def test_an_execution_survives_being_stored() -> None:
    stored = execution().started(Phase.AUDIENCE_GENERATION, SEND_AT).to(State.CANCELLED, SEND_AT, "why").clean()
    assert Execution.read(stored.document()) == stored
    assert stored.phases[Phase.AUDIENCE_GENERATION].ended_at == SEND_AT


@given(
    outcomes=st.binary(max_size=300).map(
        lambda data: bytes(b".ISFU"[b % 5] if b < 200 else 97 + b % 10 for b in data)
    )
)
def test_the_sum_is_always_the_audience(outcomes: bytes) -> None:
    counted = tally(outcomes)
    parts = counted.sent + counted.failed + counted.unknown + counted.not_reached + sum(counted.excluded.values())
    assert (parts, counted.audience_size) == (len(outcomes), len(outcomes))
    assert counted.not_reached == outcomes.count(b".")


def test_each_reason_has_a_byte_of_its_own() -> None:
    assert len(set(EXCLUDED.values())) == len(EXCLUDED)


def test_a_user_with_several_devices_was_sent_to_if_any_was() -> None:
    assert row_code([Outcome.DEAD_TOKEN, Outcome.SENT]) == ord("S")
    assert row_code([Outcome.DEAD_TOKEN, Outcome.UNKNOWN]) == ord("U")
    assert row_code([Outcome.DEAD_TOKEN, Outcome.BAD_MESSAGE]) == ord("F")


def test_a_payload_is_counted_in_bytes_not_characters() -> None:
    assert payload_bytes("靴", "", None) == payload_bytes("abc", "", None)
    assert payload_bytes("a", "b", "https://x") > payload_bytes("a", "b", None)


@pytest.mark.parametrize(
    ("sent", "failed", "trips"), [(44, 5, False), (45, 5, False), (44, 6, True), (0, 49, False), (90, 10, False)]
)
def test_a_failure_rate_trips_above_the_threshold_and_from_50_on(sent: int, failed: int, trips: bool) -> None:
    found = failure_finding(Tally(audience_size=1000, sent=sent, failed=failed), 0.1)
    assert (found is not None) is trips


def test_sequences_have_limits_that_a_deployment_may_raise() -> None:
    many = parse(recipe(pushSequence=[push(n) for n in range(1, 22)]))
    assert [str(error) for error in recipe_errors(many, Limits())] == [
        "pushSequence: has 21 pushes; at most 20 are allowed"
    ]
    assert recipe_errors(many, Limits(pushes=21)) == []
    long = parse(recipe(pushSequence=[push(1), push(2, timing={"delayAfterPrevious": 7201})]))
    assert "at most 7200 (5 days)" in str(recipe_errors(long, Limits())[0])


def test_user_ids_are_uuids_unless_the_deployment_says_otherwise() -> None:
    uuid = "1F218B0D-1bda-44cd-aa02-c81fda913c29"
    assert is_user_id(uuid, UserIdFormat.UUID)
    assert not any(is_user_id(text, UserIdFormat.UUID) for text in ("", "42", uuid + "0", uuid.replace("-", "")))
    assert is_user_id("user-42", UserIdFormat.ANY)
    assert not any(is_user_id(text, UserIdFormat.ANY) for text in ("", " x", "a\nb", "x" * 201))
    assert user_key(uuid) == user_key(uuid.lower()) == user_key(canonical_user_id(uuid))


def test_task_names_begin_with_a_hash() -> None:
    names = {task_name("e", "finish", generation) for generation in range(20)}
    assert len({name[:4] for name in names}) > 15
