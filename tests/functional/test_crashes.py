"""The process may die before or after any call to the outside world: the contract holds all the same.

On SQLite it dies at the first and at the last call from each place in the code, in `make test` at a sixteenth of
these. The simulator lets it die at all of them, again and again, among other faults (docs/how-to-simulate.md).
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.domain.execution.execution import State
from local.simulator.play.tapped import TAPPED
from local.simulator.proof.call_sites import call_sites
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.crashes import Crash, CrashPoint, shares

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("reconciling_every_5_minutes")]

MakeLab = Callable[..., Lab]

PARTS = 16
"""Into how many tests the crashes are cut."""


def with_cadence() -> dict[str, object]:
    """Two pushes that the cadence ledger has to be asked about, and one that it has not."""
    return recipe(pushSequence=[push(1, layerId=3), push(2, layerId=5), push(3)])


def run_with(point: CrashPoint, make_lab: MakeLab) -> Lab:
    """Run an execution, starting the process again wherever it dies."""
    lab = make_lab(chunk_rows=2)
    lab.clock.advance_to(START_AT - timedelta(minutes=1))
    lab.save(with_cadence())
    lab.close()
    lab.wrap = point.wrap
    lab.open()
    while True:
        try:
            lab.run_to(SEND_AT + timedelta(hours=1))
        except Crash:
            lab.restart()
        else:
            return lab


@pytest.mark.long
def test_every_place_that_a_crash_is_played_at_is_one_of_the_simulators(make_lab: MakeLab) -> None:
    """What `make test` leaves out of these crashes, the simulator plays."""
    quiet = CrashPoint(None)
    run_with(quiet, make_lab)
    played = {site for site in quiet.sites if not site.call.endswith(" step")}
    assert len(played) > 50
    assert played <= call_sites(TAPPED)


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.long), True], ids=["before", "after"])
@pytest.mark.parametrize("part", shares(PARTS))
def test_a_crash_at_any_call_loses_nothing_and_repeats_nothing(part: int, after: bool, make_lab: MakeLab) -> None:
    quiet = CrashPoint(None)
    run_with(quiet, make_lab).close()
    places = quiet.ends_of_sites()
    assert len(places) > 60
    for number in places[part::PARTS]:
        lab = run_with(CrashPoint(number, after=after), make_lab)
        lab.assert_contract()
        numbers = lab.report()
        assert lab.execution().cleaned
        assert State(numbers["status"]).final
        in_flight = numbers["totals"]["unknown"] or lab.violations()
        if not in_flight:
            assert (numbers["status"], numbers["totals"]["sent"], len(lab.outbox(test=True))) == ("completed", 9, 3)
        lab.close()
