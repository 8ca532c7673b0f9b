"""Start an execution by hand: the whole timeline of a recipe, beginning now, or only its test pushes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.domain.errors import BadInput, NotPossible
from functions.domain.execution.execution import Execution, Kind
from functions.domain.ids import execution_id
from functions.domain.recipe.read import Recipe, parse, read
from functions.domain.recipe.status import Status
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.recipes.audience import recipe_job
from functions.usecases.recipes.check import audience_of, check_recipe
from functions.usecases.recipes.save import stored_recipe
from functions.usecases.timeline.concurrent import rivals
from functions.usecases.timeline.launch import start
from functions.usecases.timeline.sample_row import SAMPLE_USER

SENDING_MODES: Mapping[str, Kind] = {"test-live-send": Kind.TEST, "live-send": Kind.MANUAL}
"""The sending modes of a trial, and the kind of execution that each starts."""
_TEST_LEAD = timedelta(minutes=1)
_A_DAY = timedelta(days=1)
_MOST_A_DAY = 200


@dataclass(frozen=True, kw_only=True)
class ChosenTest:
    """Who gets a test, and what of the recipe.

    `users` replace the recipe's own test users. `pushes` are numbers from 1. `like` is the id of the user whose
    values fill the variables. Empty: all test users of the recipe, all pushes, the audience's second user.
    """

    users: Sequence[str] = ()
    pushes: Sequence[int] = ()
    like: str = ""


def start_by_hand(
    ports: Ports, recipe_id: str, kind: Kind, at: datetime, test: ChosenTest | None = None, *, by: str = ""
) -> Execution:
    """Start a recipe's execution at an instant (now, in whole seconds), or return it if it exists.

    MANUAL sends the live sequence, with cadence rules and cancellation window. T-0 is ten minutes later, or after the
    recipe's lead time if that is shorter. TEST ends after the test pushes; `test` says who gets which of them.
    NotPossible if the recipe is not allowed to send now, or its users would get the sequence twice. `by` is the
    person who starts it, for the audit log.
    """
    written = read(stored_recipe(ports, recipe_id), default_id=recipe_id)
    recipe = _for_test(ports, at_once(written, kind), test) if test else at_once(written, kind)
    send_at = at + recipe.schedule.lead
    known = ports.executions.get(execution_id(recipe.id, send_at, kind))
    if known is None:
        check_recipe(recipe, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace)
        if kind is Kind.MANUAL:
            _check_may_send(ports, written, at, send_at)
    elif test and known.recipe.get("settings") != recipe.document().get("settings"):
        raise NotPossible(f"{known.id} has started in this second, for other test users: try again")
    return start(ports, recipe, send_at, kind, by=by)


def at_once(recipe: Recipe, kind: Kind) -> Recipe:
    """Return the recipe with the lead time of an execution started by hand."""
    document = recipe.document()
    schedule: Mapping[str, Any] = document["schedule"]
    lead = min(recipe.preparation, _TEST_LEAD) if kind is Kind.TEST else recipe.preparation
    lead_minutes = lead // timedelta(minutes=1)
    return parse({**document, "schedule": {**schedule, "leadTimeMinutes": lead_minutes}})


def _for_test(ports: Ports, recipe: Recipe, test: ChosenTest) -> Recipe:
    """Return the recipe as the test sends it. BadInput if the recipe has no such push."""
    document, settings = recipe.document(), recipe.document().get("settings") or {}
    if test.users:
        document["settings"] = {**settings, "testUserIds": list(test.users)}
    if test.like:
        document[SAMPLE_USER] = test.like
    if test.pushes:
        document["pushSequence"] = list(_chosen(ports, recipe, test.pushes))
    return parse(document)


def _chosen(ports: Ports, recipe: Recipe, pushes: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    """Yield the documents of pushes with the names of their audiences, which else depend on their positions."""
    job, _ = recipe_job(recipe, ports.find_job, ports.workspace)
    written = recipe.document()["pushSequence"]
    for order, number in enumerate(sorted(set(pushes)), start=1):
        if not 1 <= number <= len(recipe.pushes):
            raise BadInput(f"recipe {recipe.id} has no push {number}")
        push, document = recipe.pushes[number - 1], written[recipe.push_places[number - 1]]
        yield {**document, "sequenceOrder": order, "audienceName": audience_of(job, push, number - 1).name}


def _check_may_send(ports: Ports, recipe: Recipe, at: datetime, send_at: datetime) -> None:
    """Raise NotPossible for a recipe that is not active, or that is sending now or soon."""
    if recipe.status is not Status.ACTIVE:
        raise NotPossible(f"recipe {recipe.id} is {recipe.status.value}, only an active one sends: resume it")
    for other in ports.executions.unfinished():
        if not other.state.final and rivals(other, _of(recipe, at)):
            raise NotPossible(
                f"execution {other.id} is under way: its users would get the sequence twice; "
                "wait until it has ended, or cancel it"
            )
    lead = recipe.schedule.lead
    soon = next(recipe.sends(at + lead), None)
    if soon is not None and soon - lead < send_at:
        raise NotPossible(
            f"recipe {recipe.id} starts by its schedule at {soon - lead:%Y-%m-%d %H:%M} UTC, before this could be "
            "sent: its users would get the sequence twice; wait for that one, or move it"
        )
    _check_not_sent_today(ports, recipe, at)


def _check_not_sent_today(ports: Ports, recipe: Recipe, at: datetime) -> None:
    """Raise NotPossible if the recipe went live today or in the last 24 hours, even if it was stopped."""
    schedule = recipe.schedule
    midnight, _ = schedule.day_bounds(schedule.day_of(at))
    wanted = ExecutionSearch(recipe_id=recipe.id, since=min(midnight, at - _A_DAY), until=at)
    for other in ports.executions.search(wanted, most=_MOST_A_DAY):
        if other.went_live and other.kind is not Kind.TEST:
            _, day_ends = schedule.day_bounds(schedule.day_of(other.send_at))
            raise NotPossible(
                f"execution {other.id} has sent this recipe: its users would get the sequence twice. Wait until "
                f"{max(other.send_at + _A_DAY, day_ends):%Y-%m-%d %H:%M} UTC, or send a one-off push to the users "
                "that its receipt names as not reached"
            )


def _of(recipe: Recipe, at: datetime) -> Execution:
    """Return the execution as it would be created, to compare it with others."""
    return Execution(id="", recipe_id=recipe.id, recipe={}, send_at=at, created_at=at, claim="", kind=Kind.MANUAL)
