"""The states of an execution, its phases, and what is stored of it."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import NotPossible
from functions.domain.execution.execution import TRANSITIONS, Execution, PhaseTimes, State
from functions.domain.instants import instant, stamp
from functions.domain.recipe.timeline import Phase

SEND_AT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FINALS = {State.COMPLETED, State.CANCELLED, State.BLOCKED, State.EXPIRED, State.STOPPED, State.FAILED}
EARLY_ENDS = FINALS - {State.COMPLETED}


def an_execution(**changes: object) -> Execution:
    fields: dict[str, object] = {
        "id": "r_20260302T183000Z",
        "recipe_id": "r",
        "recipe": {"id": "r", "unknown": {"deep": [1, None]}},
        "send_at": SEND_AT,
        "created_at": SEND_AT - 30 * MINUTE,
        "claim": "nonce",
        **changes,
    }
    return Execution(**fields)  # type: ignore[arg-type]


def test_an_execution_moves_on_only_as_the_table_says() -> None:
    onward = {
        State.LAUNCHED: {State.AUDIENCE_READY} | EARLY_ENDS,
        State.AUDIENCE_READY: {State.TESTED, State.LIVE} | EARLY_ENDS,
        State.TESTED: {State.LIVE, State.COMPLETED} | EARLY_ENDS,  # a test is over then
        State.LIVE: {State.COMPLETED, State.STOPPED, State.FAILED},
    }
    for old in State:
        for new in State:
            if new in onward.get(old, set()):
                assert an_execution(state=old).to(new, SEND_AT).state is new
            else:
                with pytest.raises(NotPossible):
                    an_execution(state=old).to(new, SEND_AT)


@given(st.lists(st.sampled_from(State), max_size=12))
def test_whatever_is_asked_a_final_state_is_never_left_and_live_is_never_cancelled(asked: list[State]) -> None:
    execution = an_execution()
    passed = [execution.state]
    for state in asked:
        try:
            execution = execution.to(state, SEND_AT)
        except NotPossible:
            assert execution.state is passed[-1]
        else:
            passed.append(execution.state)
    assert not any(state.final for state in passed[:-1])
    assert State.LIVE not in passed or State.CANCELLED not in passed


def test_the_last_six_states_are_final() -> None:
    assert {state for state in State if state.final} == FINALS
    assert set(TRANSITIONS) == set(State)


def test_a_refusal_names_the_execution_its_state_and_what_was_asked() -> None:
    live = an_execution(state=State.LIVE)
    with pytest.raises(NotPossible, match=r"^execution r_20260302T183000Z is live: it can no longer be cancelled$"):
        live.to(State.CANCELLED, SEND_AT)


def test_a_phase_keeps_the_first_of_its_times() -> None:
    execution = an_execution()
    for minutes in (0, 1, 2):
        execution = execution.started(Phase.TEST_SENDING, SEND_AT + minutes * MINUTE)
        execution = execution.ended(Phase.TEST_SENDING, SEND_AT + (minutes + 5) * MINUTE)
    assert execution.phases == {Phase.TEST_SENDING: PhaseTimes(started_at=SEND_AT, ended_at=SEND_AT + 5 * MINUTE)}


def test_an_end_closes_the_phases_that_are_open_and_no_others() -> None:
    execution = (
        an_execution()
        .started(Phase.AUDIENCE_GENERATION, SEND_AT - 30 * MINUTE)
        .ended(Phase.AUDIENCE_GENERATION, SEND_AT - 29 * MINUTE)
        .started(Phase.CANCELLATION_WINDOW, SEND_AT - 22 * MINUTE)
        .to(State.CANCELLED, SEND_AT - MINUTE, "asked by ana")
    )
    ended = {phase: times.ended_at for phase, times in execution.phases.items()}
    assert ended == {
        Phase.AUDIENCE_GENERATION: SEND_AT - 29 * MINUTE,
        Phase.CANCELLATION_WINDOW: SEND_AT - MINUTE,
    }
    assert execution.reason == "asked by ana"


def test_a_move_that_is_no_end_leaves_the_phases_open() -> None:
    execution = an_execution().started(Phase.AUDIENCE_GENERATION, SEND_AT).to(State.AUDIENCE_READY, SEND_AT)
    assert execution.phases[Phase.AUDIENCE_GENERATION].ended_at is None


INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(
    state=st.sampled_from(State),
    sent=INSTANTS,
    created=INSTANTS,
    phases=st.dictionaries(
        st.sampled_from(Phase),
        st.builds(PhaseTimes, started_at=st.none() | INSTANTS, ended_at=st.none() | INSTANTS),
    ),
    cleaned=st.booleans(),
)
def test_an_execution_comes_back_from_json_as_it_was(
    state: State, sent: datetime, created: datetime, phases: dict[Phase, PhaseTimes], cleaned: bool
) -> None:
    execution = an_execution(state=state, send_at=sent, created_at=created, phases=phases, cleaned=cleaned)
    assert Execution.read(json.loads(json.dumps(execution.document()))) == execution


def test_instants_are_stored_in_utc_and_refused_without_a_zone() -> None:
    local = SEND_AT.astimezone(timezone(timedelta(hours=-5)))
    assert stamp(local) == "2026-03-02T18:30:00Z"
    assert stamp(None) is None
    assert instant("2026-03-02T13:30:00-05:00") == instant("2026-03-02T18:30:00Z") == SEND_AT
    with pytest.raises(ValueError, match="names no zone; write a Z"):
        instant("2026-03-02T18:30:00")
    with pytest.raises(ValueError, match="is outside the calendar"):
        instant("0001-01-01T00:00:00+14:00")
