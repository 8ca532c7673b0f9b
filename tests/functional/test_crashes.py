"""The process may die before or after any call to the outside world: the contract holds all the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.domain.execution.execution import State
from tests.factories import push, recipe
from tests.functional.conftest import SEND_AT, START_AT, Lab
from tests.functional.crashes import Crash, CrashPoint

MakeLab = Callable[..., Lab]

CALLS = 370
"""At least as many as an execution makes; the first test holds it up to date."""


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


def test_the_crashes_below_cover_every_call_of_an_execution(make_lab: MakeLab) -> None:
    point = CrashPoint(None)
    run_with(point, make_lab)
    last = max(number for number, name in enumerate(point.calls) if name == "files.delete")
    assert last < CALLS, f"an execution makes {last} calls: raise CALLS"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("tenth", range(CALLS // 10))
def test_a_crash_at_any_call_loses_nothing_and_repeats_nothing(tenth: int, after: bool, make_lab: MakeLab) -> None:
    for number in range(tenth * 10, tenth * 10 + 10):
        lab = run_with(CrashPoint(number, after=after), make_lab)
        lab.assert_contract()
        numbers = lab.report()
        assert lab.execution().cleaned
        assert State(numbers["status"]).final
        in_flight = numbers["totals"]["unknown"] or lab.violations()
        if not in_flight:
            assert (numbers["status"], numbers["totals"]["sent"], len(lab.outbox(test=True))) == ("completed", 9, 3)
        lab.close()
