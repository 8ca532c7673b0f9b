"""The judges of one run: of its calls, and of the requests that leave."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from local.simulator.judge.contract import Contract
from local.simulator.judge.departures import Departures
from local.simulator.judge.graves import Graves, Registered
from local.simulator.play.scenario import Scenario
from local.simulator.play.users import locales_of, opt_outs_of, owners_of


def judges(
    scenario: Scenario,
    now: Callable[[], datetime],
    broken: Callable[[str, str], None],
    registered: Registered,
    *,
    ours: bool,
) -> tuple[Contract, Departures]:
    """Return the judges of a scenario. `ours` says that the user data are those of the simulator."""
    owners = owners_of(scenario.users)
    contract = Contract(
        now,
        broken,
        most_at_once=scenario.policy.limits.executions_at_once,
        workspace=scenario.workspace.folder,
        graves=Graves(registered, owners, partial(broken, "")),
    )
    departures = Departures(
        contract,
        now,
        broken,
        texts_known=ours,
        owners=owners,
        opt_outs=opt_outs_of(scenario.users),
        locales=locales_of(scenario.users),
    )
    return contract, departures
