"""Tell people of the audiences that were built: their sizes, and what changed against the recipe's last run."""

from collections.abc import Sequence
from datetime import datetime

from functions.domain.alerts.alert import Built, audience_ready
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.push.outcomes import Exclusion
from functions.domain.push.shard import PushFiles
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.alerting.alert import tell, tell_end
from functions.usecases.timeline.built_pushes import built_pushes

_BUILT = (State.AUDIENCE_READY, State.TESTED, State.LIVE)
_MOST_RUNS = 10
"""How many runs before this one are looked at: those that failed or expired have no audiences."""


def tell_audience(ports: Ports, execution: Execution) -> None:
    """Tell what building the audiences came to, once, however often the step comes; a mere test sends to none."""
    if execution.state in _BUILT and execution.kind is not Kind.TEST:
        built = _built(ports, execution)
        tell(ports, audience_ready(execution, built, _before(ports, execution)), execution.recipe)
    else:
        tell_end(ports, execution)


def _before(ports: Ports, execution: Execution) -> tuple[datetime, Sequence[Built]] | None:
    """Return the last run before an execution that has audiences, with their sizes; None where there is none.

    What is sent once, by hand, has nothing before it.
    """
    if execution.kind is Kind.ONE_OFF:
        return None
    earlier = ExecutionSearch(recipe_id=execution.recipe_id, until=execution.send_at)
    for other in ports.executions.search(earlier, most=_MOST_RUNS):
        built = _built(ports, other)
        if built and other.kind is not Kind.TEST:
            return other.send_at, built
    return None


def _built(ports: Ports, execution: Execution) -> list[Built]:
    return [
        Built(
            push=files.push,
            audience=files.audience,
            users=files.live.size,
            devices=files.devices,
            excluded=_excluded(ports, files),
        )
        for files in built_pushes(ports, execution.id)
    ]


def _excluded(ports: Ports, files: PushFiles) -> dict[str, int]:
    """Count users that no message can reach, by reason; with several devices a user that takes reading them all."""
    if ports.policy.devices_per_user > 1:
        return {}
    without = max(0, files.live.size - files.devices - files.dead_tokens)
    return {Exclusion.NO_TOKEN.value: without, Exclusion.DEAD_TOKEN.value: files.dead_tokens}
