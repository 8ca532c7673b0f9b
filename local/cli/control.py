"""`tminus control`: stop, cancel, pause, resume, skip, move and execute on a running system."""

from typing import Any

import click

from functions.domain.errors import BadInput
from local.cli.options import json_option
from local.cli.remote import ask_first, show, system, yes_option

_AT = "/api/automation/control"
_reason = click.option("--reason", default="", help="Why, for the execution's log.")
_key = click.option("--key", default="", help="A name for what is asked: asked again under it, it is done once.")


@click.group()
def control() -> None:
    """Stop, cancel, pause, resume, skip, move and execute on a running system (--url)."""


@control.command("show")
@click.option("--recipe", default="", help="Only of this recipe.")
@json_option
@click.pass_context
def show_possible(context: click.Context, recipe: str, as_json: bool) -> None:
    """Show the running executions, and what can be done to them now."""
    answer = system(context).call("GET", _AT, params={"recipeId": recipe})
    columns = {"execution": "executionId", "status": "status", "sends at": "sendAt", "possible": "possible"}
    show(answer, as_json=as_json, columns=columns, rows=answer.data["executions"])


@control.command("stop")
@click.argument("execution", default="")
@click.option("--recipe", default="", help="Instead: all executions of this recipe.")
@click.option("--all", "everything", is_flag=True, help="Instead: all running executions.")
@_reason
@json_option
@click.pass_context
def stop(context: click.Context, execution: str, recipe: str, everything: bool, reason: str, as_json: bool) -> None:
    """Stop EXECUTION at once: no chunk of messages starts afterwards."""
    if sum(map(bool, (execution, recipe, everything))) != 1:
        raise BadInput("say what to stop: EXECUTION, or --recipe ID, or --all")
    subject: dict[str, Any] = {"executionId": execution, "recipeId": recipe, "all": everything}
    _order(context, "emergency_stop", {**subject, "reason": reason}, as_json=as_json)


@control.command("cancel")
@click.argument("execution")
@_reason
@json_option
@click.pass_context
def cancel(context: click.Context, execution: str, reason: str, as_json: bool) -> None:
    """Cancel EXECUTION before T-0."""
    _order(context, "cancel", {"executionId": execution, "reason": reason}, as_json=as_json)


@control.command("pause")
@click.argument("recipe")
@json_option
@click.pass_context
def pause(context: click.Context, recipe: str, as_json: bool) -> None:
    """Pause RECIPE: it starts no send until it is resumed."""
    _order(context, "pause", {"recipeId": recipe}, as_json=as_json)


@control.command("resume")
@click.argument("recipe")
@yes_option
@json_option
@click.pass_context
def resume(context: click.Context, recipe: str, yes: bool, as_json: bool) -> None:
    """Resume RECIPE: it sends on schedule again."""
    ask_first(f"{recipe} will send to real users at its times. Resume it?", yes=yes)
    _order(context, "resume", {"recipeId": recipe}, as_json=as_json)


@control.command("skip")
@click.argument("recipe")
@click.argument("at")
@json_option
@click.pass_context
def skip(context: click.Context, recipe: str, at: str, as_json: bool) -> None:
    """Skip the send of RECIPE at AT, such as 2026-12-04T16:30:00Z, and cancel its execution."""
    _order(context, "skip", {"recipeId": recipe, "sendAt": at}, as_json=as_json)


@control.command("restore")
@click.argument("recipe")
@click.argument("at")
@yes_option
@json_option
@click.pass_context
def restore(context: click.Context, recipe: str, at: str, yes: bool, as_json: bool) -> None:
    """Take back the skip of the send of RECIPE at AT."""
    ask_first(f"{recipe} will send to real users at {at}. Restore the send?", yes=yes)
    _order(context, "restore", {"recipeId": recipe, "sendAt": at}, as_json=as_json)


@control.command("move")
@click.argument("recipe")
@click.argument("at")
@click.argument("to")
@yes_option
@json_option
@click.pass_context
def move(context: click.Context, recipe: str, at: str, to: str, yes: bool, as_json: bool) -> None:
    """Move the send of RECIPE at AT to TO, such as 2026-12-05T09:00:00Z. A copy of the recipe sends it, once."""
    ask_first(f"{recipe} will send to real users at {to}, and not at {at}. Move the send?", yes=yes)
    _order(context, "move", {"recipeId": recipe, "sendAt": at, "to": to}, as_json=as_json)


@control.command("execute-now")
@click.argument("recipe")
@_key
@yes_option
@json_option
@click.pass_context
def execute_now(context: click.Context, recipe: str, key: str, yes: bool, as_json: bool) -> None:
    """Start RECIPE now: tests first, and a cancellation window before it goes live."""
    ask_first(f"{recipe} will be sent to real users in some minutes. Start it?", yes=yes)
    _order(context, "execute_now", {"recipeId": recipe}, as_json=as_json, key=key)


def _order(context: click.Context, action: str, order: dict[str, Any], *, as_json: bool, key: str = "") -> None:
    given = {name: value for name, value in order.items() if value}
    headers = {"Idempotency-Key": key} if key else {}
    answer = system(context).call("POST", _AT, json={"action": action, **given}, headers=headers)
    show(answer, as_json=as_json)
