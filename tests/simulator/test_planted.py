"""The simulator can fail: each planted defect breaks a seed that is whole without it."""

import re
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import ModuleType

import pytest

from functions.usecases.timeline import concurrent, turn
from local.simulator.judge.run_log import Breach, Outcome
from local.simulator.play.chance import Injected
from local.simulator.play.entry_points import hush
from local.simulator.play.simulation import simulate
from local.simulator.play.swarm import FAVOURS
from local.simulator.play.tapped import TAPPED
from local.simulator.proof import mutations
from local.simulator.proof.batch import Sums, play
from local.simulator.proof.call_sites import call_sites
from local.simulator.proof.defect import Defect
from local.simulator.proof.defects import DEFECTS
from local.simulator.proof.planting import Change
from local.simulator.proof.prove import SHARE, hunt, share_of_the_day
from local.simulator.proof.shrink import shrink
from local.simulator.proof.story import story

QUICK = (
    "intent after send",
    "no create precondition",
    "no condition on the version",
    "reservation without a look",
    "retry in transport",
    "audience overwritten",
    "no dedup in send_test",
    "test not required",
    "live without test",
    "pause leaves the execution",
    "unreadable passed over",
    "early steps forgotten",
    "no patience with an index",
    "403 taken as written",
    "a half renewal stays half",
)
"""Defects that a few seeds suffice for; `make prove-simulator` hunts them all."""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    hush()


def stray() -> None:
    """Stand in no module of the product."""


def defect_of(name: str) -> Defect:
    return next(defect for defect in DEFECTS if defect.name == name)


@pytest.mark.long
@pytest.mark.parametrize("name", QUICK)
def test_a_planted_defect_is_found_within_a_few_seeds(name: str) -> None:
    defect = defect_of(name)
    found = hunt(defect, most_seeds=40)
    assert found.caught, name
    assert re.search(defect.sentence, found.found_by)


@pytest.mark.long
def test_a_hunt_goes_on_after_a_breach_in_other_words() -> None:
    deaf = replace(defect_of("no create precondition"), sentence="words that no invariant has")
    found = hunt(deaf, most_seeds=4)
    assert not found.caught
    assert found.found_by == ""
    assert found.broke_too["the execution was created twice"] > 1


def test_no_sentence_takes_an_exception_for_a_find() -> None:
    raised = Breach(at=datetime(2026, 1, 1, tzinfo=UTC), execution_id="", what="launch#1 raised ValueError: bad")
    assert not [defect.name for defect in DEFECTS if defect.explains(raised)]


def test_days_that_follow_each_other_hunt_every_defect_in_turn() -> None:
    first = date(2026, 1, 1)
    days = -(-len(DEFECTS) // SHARE)
    hunted = [defect.name for day in range(days) for defect in share_of_the_day(first + timedelta(days=day))]
    assert set(hunted) == {defect.name for defect in DEFECTS}


def test_what_a_defect_favours_exists() -> None:
    assert {name for defect in DEFECTS for name in defect.favours} <= FAVOURS


def test_there_are_at_least_fifteen_defects_and_no_two_of_a_name() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 15


def test_a_defect_is_gone_once_it_was_looked_for() -> None:
    for defect in DEFECTS:
        with defect.planted():
            assert not [change.right for change in defect.changes if change.held()]
        assert all(change.held() for change in defect.changes)


def test_a_defect_replaces_a_function_in_each_module_that_has_imported_it() -> None:
    right = turn.too_many
    with Change(right, mutations.nothing).made():
        assert vars(turn)["too_many"] is vars(concurrent)["too_many"] is not right
    assert vars(turn)["too_many"] is vars(concurrent)["too_many"] is right


def test_a_module_that_is_imported_while_a_defect_is_planted_is_left_without_it() -> None:
    late = ModuleType("functions.late")
    sys.modules[late.__name__] = late
    try:
        with Change(concurrent.bar, mutations.nothing).made():
            vars(late)["bar"] = planted = concurrent.bar
        assert vars(late)["bar"] is concurrent.bar is not planted
    finally:
        del sys.modules[late.__name__]


def test_a_defect_that_replaces_nothing_is_refused() -> None:
    with pytest.raises(LookupError, match="no module or class holds"), Change(stray, mutations.nothing).made():
        pass


@pytest.mark.long
def test_a_breach_is_printed_with_the_fewest_faults_and_the_command_that_shows_it() -> None:
    defect = defect_of("retry in transport")
    with defect.planted():
        broken = next(found for seed in range(1, 60) if (found := simulate(seed)).breaches)
        assert len(broken.injected) > 5

        def play_with(only: list[Injected] | tuple[Injected, ...] | object) -> Outcome:
            return simulate(broken.seed, only=only)

        shortest = shrink(broken, play_with, most_runs=30)
    assert shortest.breaches
    assert len(shortest.injected) < len(broken.injected)
    told = story(shortest, "the command")
    assert re.search(r"was requested [23] times", told), told
    assert told.endswith("see it again: the command")


@pytest.mark.long
def test_sums_of_a_batch_know_which_calls_were_never_crashed_at() -> None:
    sums = Sums()
    sums.add(play(31, "harsh"))
    assert sums.runs == 1
    assert not sums.broken
    assert sums.missing
    assert all(site.file.startswith("functions/") for site in sums.missing)


def test_the_calls_that_a_crash_has_to_reach_are_those_of_the_use_cases() -> None:
    assert {site.file.split("/")[1] for site in call_sites(TAPPED)} == {"usecases"}
