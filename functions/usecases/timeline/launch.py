"""Start an execution for the send that belongs to a scheduler's firing."""

from datetime import datetime, timedelta
from uuid import uuid4

from functions.domain import tracing
from functions.domain.alerts.alert import malformed_recipe
from functions.domain.audit import Action, Deed
from functions.domain.errors import BadRecipe, NotYet, for_log
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import window_findings
from functions.domain.ids import execution_id
from functions.domain.push.rule_bytes import rule_bytes
from functions.domain.recipe.defaults import in_force, with_defaults
from functions.domain.recipe.read import Recipe, read
from functions.domain.recipe.schedule import slot_for
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_alert
from functions.usecases.timeline.concurrent import bar
from functions.usecases.timeline.ending import block, expire
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.steps import Run, read_run, tasks_of
from functions.usecases.timeline.turn import wait

_CLOCK_SKEW = timedelta(minutes=1)
_HOW = {
    Kind.SCHEDULED: "launched",
    Kind.MANUAL: "launched by hand",
    Kind.TEST: "launched as a test",
    Kind.ONE_OFF: "launched once, by hand",
}
_ACTIONS = {Kind.MANUAL: Action.STARTED, Kind.TEST: Action.TESTED, Kind.ONE_OFF: Action.SENT_ONCE}


def launch(ports: Ports, recipe_id: str, scheduled_at: datetime) -> Execution | None:
    """Start the execution of the send whose start is in the minute of `scheduled_at`; None: there is none.

    `scheduled_at` is the scheduled instant, the same in all retries. For example, the recipe `welcome` sends at 15:00
    UTC with a lead time of 30 minutes. `launch(ports, "welcome", scheduled_at)` at 14:30 creates the execution
    `welcome_20260504T150000Z` and enqueues its tasks. A repeat finds the execution and its tasks, and returns it.
    """
    if scheduled_at > ports.clock.now() + _CLOCK_SKEW:
        raise NotYet("the launch", scheduled_at)
    document = ports.recipes.get(recipe_id)
    if document is None:
        return None
    try:
        recipe = in_force(read(document, default_id=recipe_id), ports.workspace.pushes.defaults)
    except BadRecipe as error:
        raise_alert(ports, malformed_recipe(recipe_id, for_log(error), ports.clock.now()), document)
        return None
    send_at = slot_for(recipe.schedule, scheduled_at)
    if send_at is None or not recipe.is_active or next(recipe.sends(send_at), None) != send_at:
        return None
    return start(ports, recipe, send_at)


def start(
    ports: Ports, recipe: Recipe, send_at: datetime, kind: Kind = Kind.SCHEDULED, name: str = "", *, by: str = ""
) -> Execution:
    """Create the execution of a recipe and send instant with all of its tasks, or find it and its tasks there.

    A `name` tells it from others of the same instant that are not the same. `by` is the person who starts it by hand:
    the transaction that creates it adds an entry to the audit log of its recipe.
    """
    execution = create(ports, recipe, send_at, kind, name, by=by)
    return _begin(ports, read_run(execution)) if execution.state is State.LAUNCHED else execution


def create(ports: Ports, recipe: Recipe, send_at: datetime, kind: Kind, name: str = "", *, by: str = "") -> Execution:
    """Create the execution of a recipe and send instant, or find it there; it has no tasks yet.

    Its snapshot has the workspace's defaults, so that a later change of these changes nothing about it.
    """
    span = tracing.current()
    fresh = Execution(
        id=execution_id(recipe.id, send_at, name or ("" if kind is Kind.SCHEDULED else kind)),
        kind=kind,
        recipe_id=recipe.id,
        recipe=with_defaults(recipe.document(), ports.workspace.pushes.defaults),
        send_at=send_at,
        created_at=ports.clock.now(),
        claim=uuid4().hex,
        trace=span.trace_id if span else "",
        rule_bytes=rule_bytes(rule.reason for rule in ports.workspace.cadence.rules),
    )
    deed = Deed(by=by, at=fresh.created_at, action=_ACTIONS[kind]) if by else None
    created = ports.executions.create(fresh, deed)
    execution = ports.executions.get(fresh.id) or fresh
    if created:
        message = f"{_HOW[kind]} for the send at {send_at:%Y-%m-%d %H:%M} UTC; pushes: {len(recipe.pushes)}"
        note(ports, execution.id, Phase.AUDIENCE_GENERATION, message)
    return execution


def _begin(ports: Ports, run: Run) -> Execution:
    """Judge an execution's start and enqueue its tasks; doing it again changes nothing."""
    now, execution, limits = ports.clock.now(), run.execution, ports.policy.limits
    if run.too_late(execution.send_at, now):
        return expire(ports, run)
    barred = bar(ports, run)
    if barred is not None and barred.ends:
        return block(ports, run, Phase.AUDIENCE_GENERATION, barred)
    if barred is not None:
        execution = wait(ports, run, barred)
    window = execution.send_at - max(run.timeline.test_at, now)
    if execution.kind in (Kind.SCHEDULED, Kind.MANUAL):
        for finding in window_findings(run.recipe, window, limits):
            breach(ports, execution, Phase.AUDIENCE_GENERATION, finding)
    for task in tasks_of(run):
        ports.tasks.add(task)
    return execution
