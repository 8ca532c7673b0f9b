"""Clean up after an execution that has ended: delete tokens, close shards, write the receipt, send last alerts."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from functions.domain.alerts.alert import finished
from functions.domain.errors import BadAudience, BadRecipe, NotFound, NotPossible, NotYet, Unreadable
from functions.domain.execution.execution import Execution, Kind
from functions.domain.push.outcomes import Tally
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_alert, raise_end_alert
from functions.usecases.recipes.save import complete_recipe
from functions.usecases.reports.distinct_people import count_reached
from functions.usecases.reports.receipt import write_receipt
from functions.usecases.timeline.built_pushes import Built, read_built
from functions.usecases.timeline.journal import note

_PHASE = Phase.CLEANUP


def clean_up(ports: Ports, execution_id: str, close: Callable[[PushFiles, Shard], Shard]) -> Execution:
    """Delete device tokens, and record the totals and the receipt. Repeating it changes nothing.

    `close` closes a shard without a worker, and returns it. NotYet while a worker holds a shard.
    """
    now = ports.clock.now()
    execution = ports.executions.change(execution_id, lambda execution: execution.started(_PHASE, now))
    ports.files.delete(f"devices/{execution_id}")
    built = _close_shards(ports, _readable(ports, execution), close)
    if execution.kind is not Kind.TEST:
        _write_receipt(ports, execution_id, built)
        _complete_recipe(ports, execution.recipe_id)
    totals, reached = built.totals, _reached(ports, built)
    _raise_alerts(ports, execution, totals, reached)
    return _cleaned(ports, execution_id, totals, reached)


def _readable(ports: Ports, execution: Execution) -> Built:
    """Read the manifests and shards. Without them, as after a rollback, cleanup goes on and counts nothing."""
    try:
        return read_built(ports, execution)
    except Unreadable as error:
        note(ports, execution.id, _PHASE, f"no receipt and no totals: {error}", "warning")
        return Built(pushes=(), shards=(), rules=execution.rule_bytes)


def _close_shards(ports: Ports, built: Built, close: Callable[[PushFiles, Shard], Shard]) -> Built:
    """Close the shards that no worker will close, and release the reservations of their unsent users."""
    manifests = {files.push: files for files in built.pushes}

    def closed(shard: Shard) -> Shard:
        if shard.done:
            return shard
        _wait_for_worker(ports, shard)
        return close(manifests[shard.push], shard)

    return replace(built, shards=[closed(shard) for shard in built.shards])


def _wait_for_worker(ports: Ports, shard: Shard) -> None:
    if shard.lease_until is not None and ports.clock.now() < shard.lease_until:
        raise NotYet(f"shard {shard.key} is being sent; cleaning up", shard.lease_until)


def _write_receipt(ports: Ports, execution_id: str, built: Built) -> None:
    """Write the receipt. If the audience can no longer be read, cleanup goes on without it."""
    try:
        write_receipt(ports, execution_id, built)
    except BadAudience as error:
        note(ports, execution_id, _PHASE, f"no receipt can be written: {error}", "warning")


def _complete_recipe(ports: Ports, recipe_id: str) -> None:
    """Mark the recipe as completed if it has no send left, such as a once-recipe after its send."""
    with suppress(NotFound, NotPossible, BadRecipe):  # reconcile reports recipes that were broken by hand
        complete_recipe(ports, recipe_id, by="finish")


def _reached(ports: Ports, built: Built) -> int | None:
    """Return the number of people who were sent a live push; None if an audience can no longer be read."""
    try:
        return count_reached(ports, built.pushes, built.shards)
    except BadAudience:
        return None


def _raise_alerts(ports: Ports, execution: Execution, tally: Tally, reached: int | None) -> None:
    """Raise the alerts about the end and the totals.

    This comes before the execution is marked as cleaned up, so that none can be missed.
    """
    raise_end_alert(ports, execution)
    if Phase.LIVE_EXECUTION in execution.phases:
        raise_alert(ports, finished(execution, tally, reached), execution.recipe)


def _cleaned(ports: Ports, execution_id: str, tally: Tally, reached: int | None) -> Execution:
    now = ports.clock.now()

    def change(execution: Execution) -> Execution:
        return execution.ended(_PHASE, now).clean(tally, reached)

    execution = ports.executions.change(execution_id, change)
    outcome = (
        f"{tally.sent:,} sent, {tally.failed:,} failed, {tally.unknown:,} unknown, {tally.not_reached:,} not reached"
    )
    outcome = "a test reaches the test users only" if execution.kind is Kind.TEST else outcome
    note(ports, execution.id, _PHASE, f"{execution.state.value}: {outcome}; device tokens deleted")
    return execution
