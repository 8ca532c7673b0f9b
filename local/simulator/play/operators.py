"""Actions of operators in the API and the console: read pages, dry-run a recipe, start it twice with one key."""

from contextlib import suppress
from datetime import timedelta

from functions.domain.errors import BadAudience, NotFound, NotPossible
from functions.domain.execution.execution import Kind
from functions.domain.instants import stamp
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.by_hand.deduplicate import asked_once
from functions.usecases.by_hand.possible import possible_now
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.cadence.lift_graves import Graves, lift_graves
from functions.usecases.cadence.rules_in_force import ignored_rules
from functions.usecases.check_health import check_health
from functions.usecases.dry_run.export_audience import export_audience
from functions.usecases.dry_run.preview import preview
from functions.usecases.dry_run.sample_messages import sample_messages
from functions.usecases.dry_run.why import why
from functions.usecases.recipes.schedule_job import reschedule
from functions.usecases.reports.executions import execution_of, find_executions, log_of_execution
from functions.usecases.reports.overview import overview, push_logs
from functions.usecases.reports.receipt import export
from functions.usecases.reports.recipes import list_recipes
from functions.usecases.reports.upcoming import next_sends, upcoming
from functions.usecases.reports.watch_execution import version_now, watch_execution
from functions.usecases.timeline import control
from functions.usecases.timeline.reconcile import find_drift
from functions.usecases.timeline.steps import load_run

ASKED = "an operator asked for it"
"""Why people cancel and stop executions."""
_OPERATOR = "operator@example.com"
_USER = "10000000-0000-4000-8000-000000000001"


def look_around(ports: Ports, recipe_id: str, execution_id: str) -> None:
    """Read everything that the API shows, for things that exist and things that do not."""
    list_recipes(ports, most=2)
    overview(ports)
    find_drift(ports)
    check_health(ports)
    ignored_rules(ports)
    upcoming(ports)
    next_sends(ports, most=2)
    push_logs(ports, ExecutionSearch(), most=2)
    find_executions(ports, ExecutionSearch(recipe_id=recipe_id), most=1)
    with suppress(NotFound):
        find_executions(ports, ExecutionSearch(recipe_id="unknown"), most=1)
    with suppress(NotFound):
        possible_now(ports, recipe_id=recipe_id, execution_id=execution_id)
    with suppress(NotFound):
        reschedule(ports, recipe_id)
    with suppress(NotFound, BadAudience):
        version_now(ports, execution_of(ports, recipe_id, execution_id))
        watch_execution(ports, execution_of(ports, recipe_id, execution_id)).detail()
        log_of_execution(ports, recipe_id, execution_id)
        run = load_run(ports, execution_id)
        sample_messages(ports, run.recipe, execution_id)
        list(export(ports, run.execution))
        list(export_audience(ports, execution_id, 1))


def start_twice(ports: Ports, recipe_id: str, number: int) -> None:
    """Dry-run a recipe, ask why a user gets it, then start it by hand or as a test, twice with the same key."""
    kind = Kind.TEST if number % 2 else Kind.MANUAL
    document = ports.recipes.get(recipe_id)
    if document is not None:
        preview(ports, document, test=kind is Kind.TEST)
        if "where" not in document["audienceCriteria"]:  # no engine here explains conditions
            why(ports, document, _USER)
    for _ in range(2):
        at = asked_once(ports, f"key-{number}", by=_OPERATOR, call="test", asked={"recipeId": recipe_id})
        start_by_hand(ports, recipe_id, kind, at, by=_OPERATOR)


def lift_some_graves(ports: Ports, number: int) -> None:
    """Lift the graves of a user's tokens, or all graves of today."""
    since = stamp(ports.clock.now() - timedelta(days=1)) or ""
    graves = Graves(user_id=_USER) if number else Graves(buried_since=since)
    lift_graves(ports, graves, by=_OPERATOR, dry_run=True)
    lift_graves(ports, graves, by=_OPERATOR, dry_run=False)


def stop_whatever_runs(ports: Ports, recipe_id: str) -> None:
    """Stop the running executions of a recipe; NotPossible if there are none."""
    if not control.stop_all(ports, ASKED, recipe_id=recipe_id, by=_OPERATOR):
        raise NotPossible(f"no execution of {recipe_id} was running")
