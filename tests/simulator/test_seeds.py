"""Fixed seeds: the delivery contract holds under all faults we can name."""

import pytest

from local.simulator.play.entry_points import hush
from local.simulator.play.simulation import simulate
from local.simulator.proof.batch import command_of, explain

FIXED = range(200, 212)
"""Seeds that `make test-long` plays, and the first three of them `make test`."""
FOUND = (1, 14, 43, 116, 128, 133, 138, 213, 1_000_043, 585, 1079, 1238, 1697, 1970, *range(200, 204))
"""Seeds played as they are drawn without the swarm: most of them have broken the contract once."""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    hush()


@pytest.mark.parametrize("seed", [*FIXED[:3], *(pytest.param(seed, marks=pytest.mark.long) for seed in FIXED[3:])])
def test_the_contract_holds(seed: int) -> None:
    outcome = simulate(seed)
    assert outcome.injected
    assert not outcome.breaches, f"{explain(seed, 'harsh')}\n{command_of(seed, 'harsh')}"


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 5, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(20, 30))])
def test_the_contract_holds_in_a_workspace_whose_rules_change_in_the_middle(seed: int) -> None:
    outcome = simulate(seed, favoured=("new rules", "caps meet"))
    assert "rules" in {fault.kind for fault in outcome.injected}
    assert not outcome.breaches


@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 12))])
def test_the_contract_holds_while_segments_and_the_recipes_that_use_them_change(seed: int) -> None:
    outcome = simulate(seed, favoured=("segments", "segment", "crash_after"))
    assert "segment" in {fault.kind for fault in outcome.injected}
    assert not outcome.breaches


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (3, 4, 7, 8, 13))])
def test_the_contract_holds_while_sends_are_moved_and_restored(seed: int) -> None:
    outcome = simulate(seed, favoured=("shift", "restore", "preempt", "sends often"))
    assert {"shift", "restore"} & {fault.kind for fault in outcome.injected}
    assert not outcome.breaches


@pytest.mark.long
@pytest.mark.parametrize(
    "kind", ["outlives_deadline", "queue_throttled", "index_missing", "permission_missing", "existing_403"]
)
def test_the_contract_holds_when_google_cloud_is_late_or_not_ready(kind: str) -> None:
    outcome = simulate(1, favoured=(kind, "unavailable_after", "storage_412", "sends often"), keep_log=False)
    assert kind in {fault.kind for fault in outcome.injected}
    assert not outcome.breaches


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 4, 6, 8, 10))])
def test_an_image_that_does_not_load_changes_nothing_but_what_a_recipe_blocks(seed: int) -> None:
    outcome = simulate(seed, favoured=("with images", "image_gone", "sends often"))
    assert {"image_gone", "image_slow"} & {fault.kind for fault in outcome.injected}
    assert not outcome.breaches


@pytest.mark.long
@pytest.mark.parametrize("seed", FOUND)
def test_the_contract_holds_on_days_on_which_it_was_broken_once(seed: int) -> None:
    assert not simulate(seed, swarm=False).breaches


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 8))])
def test_without_faults_everybody_is_reached(seed: int) -> None:
    outcome = simulate(seed, level="none")
    assert not outcome.breaches
    assert not outcome.injected


@pytest.mark.long
def test_harsh_runs_inject_faults_of_many_kinds_and_send_all_the_same() -> None:
    outcomes = [simulate(seed, keep_log=False) for seed in range(20, 32)]
    kinds = {fault.kind for outcome in outcomes for fault in outcome.injected}
    assert len(kinds) > 25
    assert sum(outcome.messages for outcome in outcomes) > 50
