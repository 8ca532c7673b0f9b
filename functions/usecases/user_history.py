"""What a user was sent, as the cadence ledger remembers it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.domain.cadence import days_between
from functions.domain.errors import BadInput
from functions.domain.ids import is_user_id, user_key
from functions.domain.instants import stamp
from functions.domain.partition import partition_of
from functions.domain.past_push import past_name
from functions.ports import Ports
from functions.usecases.steps import Run, run_or_problem

if TYPE_CHECKING:
    from functions.domain.ledger import Reserved

MOST_DAYS = 90


def user_history(ports: Ports, user_id: str, *, until: datetime, days: int) -> Sequence["Reserved"]:
    """Return the pushes that a user was reserved in the days before an instant, the oldest first.

    Pushes of layers 1 and 4 are not in the ledger, and what failed for good was given back. BadInput for an id that
    is not valid or more than 90 days.
    """
    from functions.domain import ledger  # noqa: PLC0415 - numpy takes a fifth of a second to load

    user_id = user_id.strip()
    if not is_user_id(user_id, ports.policy.user_id_format):
        raise BadInput(f"{user_id!r} is no valid user id (USER_ID_FORMAT is {ports.policy.user_id_format})")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"{days} days: at least 1 and at most {MOST_DAYS} can be looked back")
    key = user_key(user_id)
    wanted = days_between(until - timedelta(days=days), until)
    stored = ports.ledger.transact(partition_of(key), wanted, lambda packed: ({}, dict(packed)))
    return ledger.reserved(stored, key)


def notifications_of(ports: Ports, user_id: str, *, until: datetime, days: int) -> Mapping[str, Any]:
    """Return what a user was sent as JSON has it, newest first, with what is known of each push; see user_history.

    `source` is `execution`, `import` or `tracked`. A push of an execution names its recipe and has the texts of its
    template: what stood in them for this user is not kept.
    """
    found = user_history(ports, user_id, until=until, days=days)
    runs: dict[str, Run | None] = {}
    return {
        "userId": user_id,
        "since": stamp(until - timedelta(days=days)),
        "until": stamp(until),
        "notifications": [_notification(ports, push, runs) for push in reversed(found)],
    }


def _notification(ports: Ports, push: "Reserved", runs: dict[str, Run | None]) -> Mapping[str, Any]:
    known = {"layerId": push.layer, "sentAt": stamp(push.at)}
    past = past_name(push.push)
    if past is not None:
        return {**known, "source": past[0].value, "name": past[1]}
    execution, _, number = push.push.rpartition("/")
    if execution not in runs:
        runs[execution] = _run(ports, execution)
    told: dict[str, Any] = {**known, "source": "execution", "executionId": execution, "push": int(number)}
    run = runs[execution]
    if run is not None:
        texts = run.recipe.pushes[int(number) - 1].texts
        told |= {"recipeId": run.recipe.id, "recipeName": run.recipe.name}
        told |= {name: text.source for name, text in texts.items()}
    return told


def _run(ports: Ports, execution_id: str) -> Run | None:
    """Return an execution with its recipe, None where it is no longer there or cannot be read."""
    execution = ports.executions.get(execution_id)
    return None if execution is None else run_or_problem(execution)[0]
