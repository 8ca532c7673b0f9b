"""Controls: stop, cancel, pause, resume, skip, move, execute now; and what is possible now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import AliasChoices, Field

from functions.domain.errors import BadFields, FieldCode, FieldError
from functions.domain.execution.execution import Execution, Kind
from functions.domain.recipe.field_types import SendInstant
from functions.domain.roles import Role
from functions.handlers.api.route import Call, Model, Query, Reply, Route
from functions.usecases.by_hand.deduplicate import asked_once
from functions.usecases.by_hand.possible import PossibleNow, possible_now
from functions.usecases.by_hand.start import start_by_hand
from functions.usecases.recipes.move_send import move_send
from functions.usecases.recipes.save import pause_recipe, restore_send, resume_recipe, skip_send
from functions.usecases.reports.executions import ExecutionSummary, summary
from functions.usecases.timeline.control import cancel, cancel_before_live, stop, stop_all

_AT = "/api/automation/control"


class Subject(Query):
    """The recipe or execution to check; all running executions if none is named."""

    recipe_id: str = ""
    execution_id: str = ""


class Order(Model):
    """An action and its target.

    An emergency stop of everything needs `all`, so that nobody requests it by mistake. `skip` leaves out the send of
    a recipe at `sendAt`, and cancels its execution; `restore` takes that back. `move` skips the send too, and creates
    a recipe that sends once at `to`, in its place.
    """

    action: Literal["emergency_stop", "cancel", "pause", "resume", "skip", "restore", "move", "execute_now"]
    recipe_id: str = Field(default="", validation_alias=AliasChoices("recipeId", "id"))
    execution_id: str = ""
    send_at: SendInstant | None = Field(default=None, description="The send to skip, to restore or to move.")
    to: SendInstant | None = Field(default=None, description="The new time of a send to move.")
    all: bool = False
    reason: str = Field(default="", max_length=500, description="Why, for the execution's log.")


@dataclass(frozen=True, kw_only=True)
class Done:
    """The action, and the executions that it changed. Pausing, skipping and moving cancel executions before T-0."""

    action: str
    recipe_id: str | None
    executions: Sequence[ExecutionSummary]


def get_control(call: Call) -> Reply:
    """Answer what is possible now."""
    asked: Subject = call.query
    return Reply(data=possible_now(call.ports, recipe_id=asked.recipe_id, execution_id=asked.execution_id))


def post_control(call: Call) -> Reply:
    """Do the requested action."""
    order: Order = call.body
    return _ORDERS[order.action](call, order)


def _emergency_stop(call: Call, order: Order) -> Reply:
    why = _why(call, order)
    if order.execution_id:
        return _done(call, order, [stop(call.ports, order.execution_id, why, by=call.caller.name)])
    if not order.recipe_id and not order.all:
        reason = 'is missing: name an execution or a recipe, or write "all": true to stop everything'
        raise BadFields([FieldError("executionId", reason, FieldCode.MISSING)])
    return _done(call, order, stop_all(call.ports, why, recipe_id=order.recipe_id or None, by=call.caller.name))


def _cancel(call: Call, order: Order) -> Reply:
    why, by = _why(call, order), call.caller.name
    if order.execution_id:
        return _done(call, order, [cancel(call.ports, order.execution_id, why, by=by)])
    recipe_id = _recipe_of(order)
    return _done(call, order, cancel_before_live(call.ports, recipe_id, why, tests=True, by=by))


def _pause(call: Call, order: Order) -> Reply:
    recipe_id = _recipe_of(order)
    recipe = pause_recipe(call.ports, recipe_id, by=call.caller.name)
    return _done(call, order, recipe.cancelled, recipe.effects)


def _resume(call: Call, order: Order) -> Reply:
    recipe = resume_recipe(call.ports, _recipe_of(order), by=call.caller.name)
    return _done(call, order, [], recipe.notices)


def _skip(call: Call, order: Order) -> Reply:
    recipe = skip_send(call.ports, _recipe_of(order), _send_of(order), by=call.caller.name)
    return _done(call, order, recipe.cancelled, recipe.effects)


def _restore(call: Call, order: Order) -> Reply:
    recipe = restore_send(call.ports, _recipe_of(order), _send_of(order), by=call.caller.name)
    return _done(call, order, [], recipe.notices)


def _move(call: Call, order: Order) -> Reply:
    recipe_id, send_at, to = _recipe_of(order), _send_of(order), _instant(order, "to", order.to)
    moved = move_send(call.ports, recipe_id, send_at, to, by=call.caller.name)
    sends = f"recipe {moved.copy.id} sends once at {to:%Y-%m-%d %H:%M} UTC, in place of the send that is skipped"
    return _done(call, order, moved.recipe.cancelled, [sends, *moved.recipe.effects, *moved.copy.notices])


def _execute_now(call: Call, order: Order) -> Reply:
    recipe_id, asked = _recipe_of(order), order.model_dump(exclude={"reason"})
    at = asked_once(call.ports, call.key, by=call.caller.name, call=_AT, asked=asked)
    execution = start_by_hand(call.ports, recipe_id, Kind.MANUAL, at, by=call.caller.name)
    return followed(_done(call, order, [execution]).data, execution)


_ORDERS: dict[str, Callable[[Call, Order], Reply]] = {
    "emergency_stop": _emergency_stop,
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
    "skip": _skip,
    "restore": _restore,
    "move": _move,
    "execute_now": _execute_now,
}


def followed(data: Any, execution: Execution) -> Reply:
    """Return an answer with the address of an execution that continues."""
    place = f"/api/automation/{execution.recipe_id}/executions/{execution.id}"
    message = f"execution {execution.id} is {execution.state.value}; follow it at {place}"
    return Reply(data=data, message=message, status=202, headers={"Location": place})


def _recipe_of(order: Order) -> str:
    if not order.recipe_id:
        raise BadFields([FieldError("recipeId", f"is missing; {order.action} needs it", FieldCode.MISSING)])
    return order.recipe_id


def _send_of(order: Order) -> datetime:
    return _instant(order, "sendAt", order.send_at)


def _instant(order: Order, field: str, written: datetime | None) -> datetime:
    if written is None:
        raise BadFields([FieldError(field, f"is missing; {order.action} needs it", FieldCode.MISSING)])
    return written


def _why(call: Call, order: Order) -> str:
    return f"{order.reason.strip() or 'asked for'} ({call.caller.name})"


def _done(call: Call, order: Order, executions: Sequence[Execution], effects: Sequence[str] = ()) -> Reply:
    now = call.ports.clock.now()
    shown = [summary(execution, now) for execution in executions]
    recipe_id = order.recipe_id or (executions[0].recipe_id if len(executions) == 1 else None)
    what = ", ".join(each.id for each in executions) or recipe_id or "nothing was under way"
    message = "; ".join([f"{order.action}: {what}", *effects])
    return Reply(data=Done(action=order.action, recipe_id=recipe_id, executions=shown), message=message)


ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.VIEWER,
        summary="See what is possible now",
        serve=get_control,
        query=Subject,
        answer=PossibleNow,
        refusals=(404,),
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.OPERATOR,
        summary="Stop, cancel, pause, resume, skip, restore, move, or execute now",
        serve=post_control,
        body=Order,
        answer=Done,
        later=True,
        refusals=(404, 409),
        keyed=True,
    ),
)
