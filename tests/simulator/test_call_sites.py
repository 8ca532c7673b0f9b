"""Which calls of ports an injected crash has to reach, and how it gets to those that chance leaves out."""

import pytest

from local.simulator.play.simulation import simulate
from local.simulator.play.tapped import TAPPED
from local.simulator.proof.call_sites import call_sites


def test_the_calls_of_all_use_cases_are_looked_for() -> None:
    files = {site.file for site in call_sites(TAPPED)}
    assert len(call_sites(TAPPED)) > 150
    assert {"functions/usecases/timeline/launch.py", "functions/usecases/reports/receipt.py"} <= files


@pytest.mark.long
def test_a_run_crashes_where_it_is_forced_to_and_keeps_the_contract() -> None:
    calm = simulate(3, level="none")
    site = next(site for site in sorted(calm.sites_called) if site.call == "files.write_once")
    forced = simulate(3, level="none", forced={calm.sites_called[site]: "crash_after"})
    assert forced.sites_crashed == {site}
    assert not forced.breaches
