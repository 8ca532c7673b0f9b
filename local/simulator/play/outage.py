"""Days after an outage of weeks, so long that some of the missed sends are only counted."""

from datetime import timedelta

from functions.domain.instants import stamp
from functions.domain.recipe.read import FIRST_SEND_AT
from local.simulator.play.scenario import Scenario
from local.simulator.play.world import World

SHARE_OF_OUTAGES = 0.1
"""The share of days that begin after an outage."""
_OUTAGE = timedelta(days=40)


def stand_still_before(world: World, scenario: Scenario) -> None:
    """Leave all sends of the weeks before the day without an execution and without a record."""
    since = scenario.begins_at - _OUTAGE
    world.executions.account_until(since)
    for document in scenario.recipes:
        if document["schedule"]["frequency"] == "daily":
            world.recipes.change(document["id"], lambda old: old and {**old, FIRST_SEND_AT: stamp(since)})
