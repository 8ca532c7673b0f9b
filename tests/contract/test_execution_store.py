"""What every ExecutionStore does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.errors import Conflict, Halted, NotFound
from functions.domain.execution.execution import Execution, State
from functions.domain.execution.safeguards import Finding, Severity, Violation, ViolationType
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.timeline import Phase
from functions.ports.executions import ExecutionSearch, LogEntry
from functions.ports.violations import violation_place

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Make = Callable[..., Any]
AtOnce = Callable[[int, Callable[[int], Any]], list[Any]]


def test_an_execution_comes_back_as_it_was_created(ports: Any, open_ports: Any, an_execution: Make) -> None:
    execution = an_execution().started(Phase.AUDIENCE_GENERATION, NOON + timedelta(microseconds=5))
    assert ports.executions.create(execution)
    assert open_ports().executions.get(execution.id) == execution
    assert ports.executions.get("other") is None


def test_of_42_concurrent_creates_one_wins(open_ports: Any, an_execution: Make, at_once: AtOnce) -> None:
    stores = [open_ports().executions for _ in range(3)]
    won = at_once(42, lambda number: stores[number % 3].create(an_execution(claim=f"claim-{number}")))
    assert won.count(True) == 1
    assert stores[0].get(an_execution().id).claim == f"claim-{won.index(True)}"


def test_a_create_that_landed_although_its_answer_was_lost_is_recognised_by_its_claim(
    ports: Any, an_execution: Make
) -> None:
    assert ports.executions.create(an_execution(claim="mine"))
    ports.executions.change(an_execution().id, lambda old: old.to(State.AUDIENCE_READY, NOON))
    assert ports.executions.create(an_execution(claim="mine"))
    assert not ports.executions.create(an_execution(claim="theirs"))
    assert ports.executions.get(an_execution().id).state is State.AUDIENCE_READY


def test_a_change_that_raises_leaves_the_execution_and_passes_the_error_on(ports: Any, an_execution: Make) -> None:
    ports.executions.create(an_execution())

    def refuse(_: Execution) -> Execution:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        ports.executions.change(an_execution().id, refuse)
    assert ports.executions.get(an_execution().id) == an_execution()


def test_a_change_of_an_execution_that_does_not_exist_says_so(ports: Any) -> None:
    with pytest.raises(NotFound, match="daily_x"):
        ports.executions.change("daily_x", lambda old: old)


def test_cancel_and_live_start_race_and_one_of_them_wins(ports: Any, an_execution: Make, at_once: AtOnce) -> None:
    ports.executions.create(an_execution(state=State.TESTED))

    def move(number: int) -> bool:
        wanted = State.LIVE if number % 2 else State.CANCELLED

        def change(old: Execution) -> Execution:
            if old.state is not State.TESTED:
                raise LookupError(old.state)
            return old.to(wanted, NOON)

        try:
            ports.executions.change(an_execution().id, change)
        except LookupError:
            return False
        return True

    assert at_once(8, move).count(True) == 1


def test_unfinished_executions_are_those_not_final_or_not_cleaned_in_the_order_of_creation_whatever_clocks_say(
    ports: Any, an_execution: Make
) -> None:
    states = {"new": State.LAUNCHED, "old": State.LIVE, "ended": State.COMPLETED, "gone": State.COMPLETED}
    for age, (name, state) in enumerate(states.items()):
        created = NOON - timedelta(microseconds=age)
        ports.executions.create(an_execution(id=name, state=state, created_at=created, cleaned=name == "gone"))
    assert [execution.id for execution in ports.executions.unfinished()] == ["new", "old", "ended"]
    ports.executions.change("new", lambda old: replace(old, reason="changed"))
    ports.executions.change("ended", lambda old: replace(old, cleaned=True))
    new, old = ports.executions.unfinished()
    assert (new.id, old.id) == ("new", "old")
    assert new.created_before(old)
    assert not ports.executions.get("old").created_before(ports.executions.get("new"))


def test_a_recipe_s_executions_are_listed_newest_send_first(ports: Any, an_execution: Make) -> None:
    for day in (2, 1, 3):
        ports.executions.create(an_execution(id=f"e{day}", send_at=NOON + timedelta(days=day)))
    ports.executions.create(an_execution(id="other", recipe_id="weekly"))
    found = ports.executions.search(ExecutionSearch(recipe_id="daily"), most=99)
    assert [execution.id for execution in found] == ["e3", "e2", "e1"]


def test_a_push_s_manifest_comes_back_as_it_was_kept(ports: Any, an_execution: Make, a_push: Make) -> None:
    assert ports.shards.push(an_execution().id, 1) is None
    for push in (1, 2, 1):
        ports.shards.save_push(a_push(push))
    assert ports.shards.push(an_execution().id, 1) == a_push(1)
    assert ports.shards.push(an_execution().id, 2) == a_push(2)


def test_manifests_of_many_pushes_come_in_the_order_asked(ports: Any, an_execution: Make, a_push: Make) -> None:
    for push in (1, 2):
        ports.shards.save_push(a_push(push))
    here = an_execution().id
    found = ports.shards.pushes([(here, 2), ("other", 1), (here, 3), (here, 1)])
    assert found == [a_push(2), None, None, a_push(1)]
    assert ports.shards.pushes([]) == []


def test_a_shard_is_created_once_and_the_stored_one_is_returned(ports: Any, a_shard: Make) -> None:
    assert ports.shards.create(a_shard()) == a_shard()
    assert ports.shards.create(a_shard(outcomes=b"SSS")) == a_shard()
    assert ports.shards.get(a_shard().execution_id, "1-0") == a_shard()
    assert ports.shards.get(a_shard().execution_id, "1-1") is None


def test_a_shard_that_is_saved_comes_back_with_its_next_version(
    ports: Any, an_execution: Make, a_shard: Make
) -> None:
    ports.executions.create(an_execution(state=State.LIVE))
    shard = ports.shards.create(a_shard())
    sending = replace(shard, outcomes=bytes(range(256)), lease_until=NOON + timedelta(seconds=60, microseconds=1))
    saved = ports.shards.save(sending, only_while=State.LIVE)
    assert saved == replace(sending, version=shard.version + 1)
    assert ports.shards.get(shard.execution_id, shard.key) == saved


def test_a_shard_of_an_older_version_is_not_saved(ports: Any, an_execution: Make, a_shard: Make) -> None:
    ports.executions.create(an_execution(state=State.LIVE))
    shard = ports.shards.create(a_shard())
    saved = ports.shards.save(shard, only_while=State.LIVE)
    with pytest.raises(Conflict, match="version 0"):
        ports.shards.save(replace(shard, outcomes=b"SSS"), only_while=State.LIVE)
    with pytest.raises(Conflict, match="version 0"):
        ports.shards.settle(replace(shard, outcomes=b"SSS"))
    with pytest.raises(Conflict):
        ports.shards.settle(a_shard(number=7))
    assert ports.shards.of(shard.execution_id) == [saved]


def test_a_shard_is_not_saved_once_its_execution_has_left_the_state_but_may_be_settled(
    ports: Any, an_execution: Make, a_shard: Make
) -> None:
    ports.executions.create(an_execution(state=State.LIVE))
    shard = ports.shards.create(a_shard())
    ports.executions.change(an_execution().id, lambda old: old.to(State.STOPPED, NOON))
    with pytest.raises(Halted, match="stopped"):
        ports.shards.save(shard, only_while=State.LIVE)
    with pytest.raises(Halted, match="missing"):
        ports.shards.save(a_shard(execution_id="other"), only_while=State.LIVE)
    settled = ports.shards.settle(replace(shard, outcomes=b"SU.", done=True))
    assert (settled.outcomes, settled.version) == (b"SU.", 1)


def test_of_16_workers_that_save_one_version_one_wins(
    ports: Any, an_execution: Make, a_shard: Make, at_once: AtOnce
) -> None:
    ports.executions.create(an_execution(state=State.LIVE))
    shard = ports.shards.create(a_shard())

    def save(number: int) -> bool:
        try:
            ports.shards.save(replace(shard, outcomes=bytes([number])), only_while=State.LIVE)
        except Conflict:
            return False
        return True

    won = at_once(16, save)
    assert won.count(True) == 1
    assert ports.shards.get(shard.execution_id, shard.key).outcomes == bytes([won.index(True)])


def test_progress_sums_the_live_shards_that_are_done(ports: Any, a_shard: Make) -> None:
    assert ports.shards.progress(a_shard().execution_id) == Tally()
    ports.shards.create(a_shard(outcomes=b"SSF", done=True))
    late = ports.shards.create(a_shard(number=1, outcomes=b"S.."))
    ports.shards.create(a_shard(test=True, outcomes=b"S", done=True))
    ports.shards.create(a_shard(execution_id="other", outcomes=b"S", done=True))
    assert ports.shards.progress(a_shard().execution_id) == Tally(audience_size=3, sent=2, failed=1)
    ports.shards.settle(replace(late, outcomes=b"SUa", done=True))
    expected = Tally(audience_size=6, sent=3, failed=1, unknown=1, excluded={"all": 1})
    assert ports.shards.progress(a_shard().execution_id) == expected


def test_shards_are_under_way_while_their_lease_lasts(ports: Any, a_shard: Make) -> None:
    late = NOON + timedelta(seconds=60)
    held = ports.shards.create(a_shard(lease_until=late))
    ports.shards.create(a_shard(number=1))
    ports.shards.create(a_shard(execution_id="other", test=True, lease_until=late))
    assert [ports.shards.under_way(at) for at in (NOON, late)] == [2, 0]
    ports.shards.settle(replace(held, lease_until=None))
    assert ports.shards.under_way(NOON) == 1


def test_all_shards_of_an_execution_are_listed(ports: Any, a_shard: Make) -> None:
    made = [a_shard(push=push, number=number) for push in (1, 2) for number in (0, 1, 10)] + [a_shard(test=True)]
    for shard in reversed(made):
        ports.shards.create(shard)
    listed = ports.shards.of(a_shard().execution_id)
    assert {shard.key for shard in listed} == {shard.key for shard in made}
    assert len(listed) == len(made)


def test_a_log_is_read_oldest_line_first(ports: Any) -> None:
    def entry(microseconds: int, message: str) -> LogEntry:
        return LogEntry(at=NOON + timedelta(microseconds=microseconds), phase="live", level="info", message=message)

    lines = [entry(0, "erst 👟"), entry(0, "zweit"), entry(1, "dritt"), entry(1_000_000, "letzt")]
    for line in (lines[3], lines[0], lines[1], lines[2]):
        ports.logs.add("e", line)
    ports.logs.add("other", entry(0, "x"))
    assert list(ports.logs.of("e")) == lines


def test_a_violation_is_kept_once_and_read_as_it_was(ports: Any) -> None:
    finding = Finding(
        type=ViolationType.TEST_FAILED,
        severity=Severity.CRITICAL,
        message="kein Gerät",
        action="blocked",
        data={"size": 3, "audience": "größe"},
    )
    at = NOON + timedelta(seconds=1, microseconds=7)
    late = Violation(id="b", execution_id="e", recipe_id="r", finding=finding, at=at)
    early = replace(late, id="a", at=NOON + timedelta(seconds=1))
    assert ports.violations.record(late)
    assert ports.violations.record(early)
    assert not ports.violations.record(replace(late, at=NOON))
    assert list(ports.violations.of("e")) == [early, late]
    assert list(ports.violations.of("other")) == []


def a_violation(number: int, execution: str = "e") -> Violation:
    finding = Finding(
        type=ViolationType.TEST_FAILED, severity=Severity.CRITICAL, message="no device", action="blocked", data={}
    )
    at = NOON + timedelta(seconds=number)
    recipe_id = f"of-{execution}"
    return Violation(id=f"{execution}/{number}", execution_id=execution, recipe_id=recipe_id, finding=finding, at=at)


def test_the_latest_instant_up_to_which_sends_are_accounted_for_is_kept(ports: Any) -> None:
    assert ports.executions.accounted_until() is None
    for minutes in (0, 5, 3):
        ports.executions.account_until(NOON + timedelta(minutes=minutes, microseconds=7))
    assert ports.executions.accounted_until() == NOON + timedelta(minutes=5, microseconds=7)


def test_open_violations_of_all_executions_are_read_newest_first(ports: Any) -> None:
    kept = [a_violation(number, execution) for number, execution in enumerate("eefg")]
    for violation in kept:
        ports.violations.record(violation)
    assert list(ports.violations.unresolved(most=9)) == kept[::-1]
    assert list(ports.violations.unresolved(most=2)) == [kept[3], kept[2]]


@pytest.mark.parametrize("recipe_id", ["of-e", None])
def test_open_violations_of_a_recipe_are_read_page_by_page(recipe_id: str | None, ports: Any) -> None:
    kept = [a_violation(number, execution) for number, execution in enumerate("efefeg")]
    for violation in [*kept, replace(kept[-1], id="twin")]:
        ports.violations.record(violation)
    ports.violations.resolve("e", "e/2", NOON, "ann@example.com")
    found: list[Violation] = []
    place = None
    while page := ports.violations.unresolved(most=2, recipe_id=recipe_id, after=place):
        assert len(page) <= 2
        found += page
        place = violation_place(page[-1])
    expected = "e/4 e/0" if recipe_id else "twin g/5 e/4 f/3 f/1 e/0"
    assert [violation.id for violation in found] == expected.split()


def test_a_violation_is_resolved_once_and_the_first_caller_stays(ports: Any, open_ports: Any) -> None:
    for number in (1, 2):
        ports.violations.record(a_violation(number))
    resolved = a_violation(1).resolve(NOON + timedelta(hours=1, microseconds=7), "ann@example.com")
    assert (
        ports.violations.resolve("e", "e/1", NOON + timedelta(hours=1, microseconds=7), "ann@example.com") == resolved
    )
    assert ports.violations.resolve("e", "e/1", NOON + timedelta(hours=2), "bob@example.com") == resolved
    assert list(open_ports().violations.of("e")) == [resolved, a_violation(2)]
    assert list(open_ports().violations.unresolved(most=9)) == [a_violation(2)]
    assert not ports.violations.record(a_violation(1)), "what comes again does not open it again"
    assert list(ports.violations.unresolved(most=9)) == [a_violation(2)]


def test_a_violation_that_is_not_there_cannot_be_resolved(ports: Any) -> None:
    ports.violations.record(a_violation(1))
    for execution, violation in (("e", "e/2"), ("f", "e/1"), ("", "")):
        with pytest.raises(NotFound):
            ports.violations.resolve(execution, violation, NOON, "ann@example.com")


def _seven(ports: Any, an_execution: Make) -> None:
    """Two recipes, sends an hour apart, two of them at the same instant."""
    for hour, (recipe_id, state) in enumerate(
        [
            ("a", State.COMPLETED),
            ("b", State.LIVE),
            ("a", State.FAILED),
            ("a", State.COMPLETED),
            ("b", State.COMPLETED),
        ]
    ):
        at = NOON + timedelta(hours=hour)
        ports.executions.create(an_execution(id=f"{recipe_id}-{hour}", recipe_id=recipe_id, send_at=at, state=state))
    for twin in ("a-4", "a-5"):
        ports.executions.create(an_execution(id=twin, recipe_id="a", send_at=NOON + timedelta(hours=4)))


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (ExecutionSearch(), "b-4 a-5 a-4 a-3 a-2 b-1 a-0"),
        (ExecutionSearch(recipe_id="a"), "a-5 a-4 a-3 a-2 a-0"),
        (ExecutionSearch(state=State.COMPLETED), "b-4 a-3 a-0"),
        (ExecutionSearch(recipe_id="a", state=State.COMPLETED), "a-3 a-0"),
        (ExecutionSearch(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=4)), "a-3 a-2 b-1"),
        (ExecutionSearch(recipe_id="b", state=State.LIVE, until=NOON), ""),
        (ExecutionSearch(recipe_id="stranger"), ""),
    ],
)
def test_executions_are_found_by_recipe_state_and_send_page_by_page_in_either_order(
    ports: Any, an_execution: Make, wanted: ExecutionSearch, ids: str
) -> None:
    _seven(ports, an_execution)
    assert ports.executions.count(wanted) == len(ids.split())
    for oldest_first in (False, True):
        found: list[str] = []
        place = None
        while page := ports.executions.search(wanted, most=2, after=place, oldest_first=oldest_first):
            assert len(page) <= 2
            found += [execution.id for execution in page]
            place = (page[-1].send_at, page[-1].id)
        assert found == (ids.split()[::-1] if oldest_first else ids.split())


def test_the_bytes_of_cadence_rules_come_back(ports: Any, open_ports: Any, an_execution: Any, a_shard: Any) -> None:
    ports.executions.create(an_execution())
    ports.shards.create(a_shard(outcomes=bytes([0xE0, 0xFF, 0xDF])))
    stored = open_ports()
    assert stored.executions.get(an_execution().id).rule_bytes == {0xE0: "cadence:weekly"}
    assert stored.shards.get(an_execution().id, a_shard().key).outcomes == bytes([0xE0, 0xFF, 0xDF])
