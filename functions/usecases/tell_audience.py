"""Tell people of the audiences that were built: their sizes, and what changed against the recipe's last run."""

from collections.abc import Sequence
from datetime import datetime

from functions.domain.alerts import Built, audience_ready
from functions.domain.execution import Execution, State
from functions.ports import Ports
from functions.usecases.steps import Run
from functions.usecases.tell import tell, tell_end

_BUILT = (State.AUDIENCE_READY, State.TESTED, State.LIVE)
_MOST_RUNS = 10
"""How many runs before this one are looked at: those that failed or expired have no audiences."""


def tell_audience(ports: Ports, run: Run, execution: Execution) -> None:
    """Tell what building the audiences came to, once, however often the step comes."""
    if execution.state in _BUILT:
        built = _built(ports, execution, len(run.recipe.pushes))
        tell(ports, audience_ready(execution, built, _before(ports, execution)), execution.recipe)
    else:
        tell_end(ports, execution)


def _before(ports: Ports, execution: Execution) -> tuple[datetime, Sequence[Built]] | None:
    """Return the last run before an execution that has audiences, with their sizes; None where there is none."""
    earlier = [
        other for other in ports.executions.of_recipe(execution.recipe_id) if other.send_at < execution.send_at
    ]
    for other in earlier[:_MOST_RUNS]:
        built = _built(ports, other, len(other.recipe.get("pushSequence", ())))
        if built:
            return other.send_at, built
    return None


def _built(ports: Ports, execution: Execution, pushes: int) -> list[Built]:
    found = (ports.executions.push(execution.id, push) for push in range(1, pushes + 1))
    return [
        Built(
            push=files.push,
            audience=files.audience,
            users=files.live.size,
            devices=files.live.devices.index.row_count - files.dead_tokens,
            dead=files.dead_tokens,
        )
        for files in found
        if files is not None
    ]
