"""The pushes that a user got, or did not get and why, from the audiences and the cadence ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from functions.domain.audience.partition import partition_of
from functions.domain.cadence.past_push import past_name
from functions.domain.cadence.rules import days_between
from functions.domain.documents import shown
from functions.domain.errors import BadInput
from functions.domain.ids import UserIdFormat, is_user_id, user_key
from functions.ports import Ports
from functions.usecases.reports.user_rows import NotificationShown, rows_of_user
from functions.usecases.timeline.steps import Run, run_or_problem

if TYPE_CHECKING:
    from functions.domain.cadence.ledger import Reserved

MOST_DAYS = 90
EXAMPLES = {UserIdFormat.UUID: "fadead8e-3c5e-4a1b-9d2f-0123456789ab", UserIdFormat.ANY: "user-123"}
_SOON = timedelta(days=1)
"""Running executions are included: their T-0 is at most a lead time ahead."""


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """The pushes that a user got, or did not get and why, newest first. `known` is false for an unknown user."""

    user_id: str
    since: datetime
    until: datetime
    known: bool
    notifications: Sequence[NotificationShown]


def user_history(ports: Ports, user_id: str, *, until: datetime, days: int) -> Sequence["Reserved"]:
    """Return the pushes reserved for a user in the days before an instant, oldest first.

    Pushes of exempt layers are not in the ledger, and reservations of failed messages were released. BadInput for an
    id that is not valid or more than 90 days.
    """
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    user_id, form = user_id.strip(), ports.policy.user_id_format
    if not is_user_id(user_id, form):
        raise BadInput(f"{shown(user_id)} is not a user ID of this deployment; enter one such as {EXAMPLES[form]}")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"{days} days: at least 1 and at most {MOST_DAYS} can be looked back")
    key = user_key(user_id)
    wanted = days_between(until - timedelta(days=days), until)
    stored = ports.ledger.transact(partition_of(key), wanted, lambda packed: ({}, dict(packed)))
    return ledger.reserved(stored, key)


def notifications_of(ports: Ports, user_id: str, *, until: datetime, days: int) -> Notifications:
    """Return every push of the last days that concerned a user, newest first.

    `source` is `execution`, `import` or `tracked`. A push of an execution has its outcome and the texts as the user
    got them: `outcome` is `sent`, `failed`, `unknown`, `excluded` with a `reason`, or `not_reached`. After the
    audience was deleted, the ledger still has pushes of layers that are not exempt, with the texts of the template.
    `known` says whether the user was in any audience or in the ledger at all. BadInput as in `user_history`.
    """
    since, runs = until - timedelta(days=days), dict[str, "Run | None"]()
    reserved = user_history(ports, user_id, until=until, days=days)
    found = rows_of_user(ports, user_id, since=since, until=until + _SOON)
    reported = {(each.execution_id, each.push) for each in found if not each.test}
    remembered = [_notification(ports, push, runs) for push in reserved]
    found += [each for each in remembered if (each.execution_id, each.push) not in reported]
    return Notifications(
        user_id=user_id,
        since=since,
        until=until,
        known=bool(found),
        notifications=sorted(found, key=lambda each: each.sent_at, reverse=True),
    )


def _notification(ports: Ports, push: "Reserved", runs: dict[str, Run | None]) -> NotificationShown:
    sent = partial(NotificationShown, layer_id=push.layer, sent_at=push.at, outcome="sent", reason="", test=False)
    past = past_name(push.push)
    if past is not None:
        return sent(source=past[0].value, name=past[1])
    execution, _, number = push.push.rpartition("/")
    if execution not in runs:
        runs[execution] = _run(ports, execution)
    sent = partial(sent, source="execution", execution_id=execution, push=int(number))
    run = runs[execution]
    if run is None:
        return sent()
    written = run.recipe.pushes[int(number) - 1]
    return sent(
        recipe_id=run.recipe.id,
        recipe_name=run.recipe.name,
        title=written.title.source,
        body=written.body.source,
        deep_link=written.deep_link.source if written.deep_link else None,
    )


def _run(ports: Ports, execution_id: str) -> Run | None:
    """Return an execution with its recipe; None if it no longer exists or cannot be read."""
    execution = ports.executions.get(execution_id)
    return None if execution is None else run_or_problem(execution)[0]
