"""Sends that are promised, moved, and launched at one instant, on Google's clients before emulators."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from functions.domain.execution.execution import State
from functions.domain.recipe.first_send import ScheduleUnderWay, Underway
from functions.ports.executions import ExecutionSearch
from functions.usecases.recipes.save import update_recipe
from local.sample import generate
from tests.functional.cloud_lab import CloudLab, cloud_lab

pytestmark = [pytest.mark.slow, pytest.mark.long]

NAME = "sneaker-reactivation"
SEND_AT = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    generate(folder, users=300, seed=1, at=SEND_AT - timedelta(hours=10))
    return folder


@pytest.fixture
def open_lab(emulators: Mapping[str, str], data: Path, tmp_path: Path) -> Iterator[Callable[..., CloudLab]]:
    del emulators
    with ExitStack() as stack:
        yield lambda at: stack.enter_context(cloud_lab(tmp_path, at, data))


def named(recipe_id: str, document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "id": recipe_id}


def states(lab: CloudLab) -> dict[str, str]:
    found = lab.ports.executions.search(ExecutionSearch(recipe_id=NAME), most=20, oldest_first=True)
    return {f"{each.send_at:%H:%M}": each.state.value for each in found}


def move(lab: CloudLab, underway: Underway | None) -> Any:
    schedule = (lab.ports.recipes.get(NAME) or {})["schedule"]
    changes = {"schedule": {**schedule, "executionTime": "18:45"}}
    return update_recipe(lab.ports, NAME, changes, by="growth@example.com", underway=underway)


def test_of_eleven_recipes_at_one_instant_exactly_the_eleventh_waits_its_turn(
    open_lab: Callable[..., CloudLab],
) -> None:
    lab = open_lab(SEND_AT - 31 * MINUTE)
    for number in range(11):
        lab.save(NAME, partial(named, f"{NAME}-{number}"))
    lab.cloud.run_until(SEND_AT - 15 * MINUTE)
    found = Counter(execution.state for execution in lab.ports.executions.unfinished())
    assert found == {State.TESTED: 10, State.LAUNCHED: 1}
    lab.cloud.run_until(SEND_AT + timedelta(hours=1))
    every = [lab.ports.executions.get(f"{NAME}-{number}_20260504T223000Z") for number in range(11)]
    assert {each.state for each in every if each} == {State.COMPLETED}


def test_a_recipe_saved_inside_its_lead_time_starts_with_the_time_that_is_left(
    open_lab: Callable[..., CloudLab],
) -> None:
    lab = open_lab(SEND_AT - 18 * MINUTE)
    lab.save(NAME)
    lab.cloud.run_until(SEND_AT + timedelta(hours=1))
    assert states(lab) == {"22:30": "completed"}
    lab.assert_contract(f"{NAME}_20260504T223000Z")


@pytest.mark.parametrize(
    ("underway", "found"),
    [(Underway.KEEP, {"22:30": "completed"}), (Underway.REPLACE, {"22:30": "cancelled", "22:45": "completed"})],
)
def test_a_send_moved_while_it_is_under_way_goes_out_once(
    underway: Underway, found: dict[str, str], open_lab: Callable[..., CloudLab]
) -> None:
    lab = open_lab(SEND_AT - 31 * MINUTE)
    lab.save(NAME)
    lab.cloud.run_until(SEND_AT - 22 * MINUTE)
    with pytest.raises(ScheduleUnderWay):
        move(lab, None)
    move(lab, underway)
    lab.cloud.run_until(SEND_AT + timedelta(hours=1, minutes=15))
    assert states(lab) == found
    lab.assert_contract(*(f"{NAME}_20260504T{at.replace(':', '')}00Z" for at in found if found[at] == "completed"))
