"""Executions are deleted once they have been kept long enough, and their sends do not happen again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.errors import Misconfigured
from functions.domain.retention import LEAST_EXECUTION_DAYS, MOST_EXECUTION_DAYS
from functions.settings.read import read_settings
from functions.usecases.timeline.purge import purge
from functions.usecases.timeline.reconcile import reconcile
from tests.functional.conftest import Lab


def test_an_old_execution_and_its_files_are_deleted_and_its_send_does_not_happen_again(lab: Lab) -> None:
    lab.run_to_the_end()
    left = len(lab.outbox())
    lab.ports.recipes.change("welcome", lambda document: {**(document or {}), "status": "paused"})
    lab.clock.advance_to(lab.clock.now() + timedelta(days=399))
    purge(lab.ports)
    assert lab.ports.executions.get(lab.id) is not None
    lab.clock.advance_to(lab.clock.now() + timedelta(days=2))
    reconcile(lab.ports)
    assert lab.ports.executions.get(lab.id) is None
    assert list(lab.state.rglob("*.csv")) == []
    reconcile(lab.ports)
    assert len(lab.outbox()) == left


@pytest.mark.long
@pytest.mark.parametrize("port", ["files", "expiry"])
def test_what_a_crash_leaves_of_an_old_execution_the_next_run_deletes(lab: Lab, port: str) -> None:
    lab.run_to_the_end()
    lab.clock.advance_to(lab.clock.now() + timedelta(days=401))

    class Dying:
        def __getattr__(self, name: str) -> Any:
            raise MemoryError

    dying: Any = {port: Dying()}
    with pytest.raises(MemoryError):
        purge(replace(lab.ports, **dying))
    assert lab.ports.executions.get(lab.id) is not None
    purge(lab.ports)
    assert lab.ports.executions.get(lab.id) is None
    assert list(lab.state.rglob("*.csv")) == []


def test_an_execution_that_is_not_cleaned_up_is_kept(lab: Lab) -> None:
    lab.run_to(lab.clock.now() + timedelta(hours=2, minutes=1))
    assert not lab.execution().cleaned
    lab.clock.advance_to(lab.clock.now() + timedelta(days=500))
    purge(lab.ports)
    assert lab.ports.executions.get(lab.id) is not None


@pytest.mark.parametrize("days", [LEAST_EXECUTION_DAYS - 1, MOST_EXECUTION_DAYS + 1])
def test_the_retention_of_executions_has_bounds(days: int) -> None:
    with pytest.raises(Misconfigured, match="from 120 to 1095"):
        read_settings({"EXECUTION_RETENTION_DAYS": str(days)})
