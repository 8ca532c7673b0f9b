"""Raise the alert about built audiences: their sizes, and the change since the recipe's last run."""

from collections.abc import Sequence
from datetime import datetime

from functions.domain.alerts.alert import Built, audience_ready
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.push.outcomes import Exclusion
from functions.domain.push.shard import PushFiles
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.alerting.alert import raise_alert, raise_end_alert
from functions.usecases.timeline.built_pushes import built_pushes

_BUILT = (State.AUDIENCE_READY, State.TESTED, State.LIVE)
_MOST_RUNS = 10
"""How many earlier runs to read: those that failed or expired have no audiences."""


def raise_audience_alert(ports: Ports, execution: Execution) -> None:
    """Raise the alert about the built audiences, or the end, once.

    A TEST raises no alert about audiences.
    """
    if execution.state in _BUILT and execution.kind is not Kind.TEST:
        built = _built(ports, execution)
        raise_alert(ports, audience_ready(execution, built, _before(ports, execution)), execution.recipe)
    else:
        raise_end_alert(ports, execution)


def _before(ports: Ports, execution: Execution) -> tuple[datetime, Sequence[Built]] | None:
    """Return the recipe's last run with audiences before an execution, and their sizes; None if there is none.

    A one-off has no run before it.
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
    """Count users that no message can reach, by reason. With several devices per user this reads all of them."""
    if ports.policy.devices_per_user > 1:
        return {}
    without = max(0, files.live.size - files.devices - files.dead_tokens - files.opted_out)
    found = {Exclusion.NO_TOKEN.value: without, Exclusion.DEAD_TOKEN.value: files.dead_tokens}
    return {**found, Exclusion.OPTED_OUT.value: files.opted_out} if files.opted_out else found
