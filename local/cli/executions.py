"""`tminus executions`: past and running executions of a system."""

from pathlib import Path

import click

from functions.domain.errors import BadInput
from local.cli.api_client import part
from local.cli.options import check_new, force_option, json_option
from local.cli.remote import show, system

_LISTED = {
    "execution": "executionId",
    "status": "status",
    "kind": "kind",
    "sends at": "sendAt",
    "users": "people",
    "users reached": "peopleReached",
    "messages sent": "totals.sent",
    "failed": "totals.failed",
    "unknown": "totals.unknown",
    "excluded": "totals.excluded",
}
_PUSHES = {
    "push": "order",
    "audience": "audience",
    "layer": "layer",
    "users": "audienceSize",
    "test": "testSent",
    "sent": "sent",
    "failed": "failed",
    "unknown": "unknown",
    "not reached": "notReached",
    "excluded": "excluded",
}


@click.group()
def executions() -> None:
    """Show the executions of a running system (--url)."""


@executions.command("list")
@click.option("--recipe", default="", help="Only those of this recipe; one-off is that of pushes sent once.")
@click.option("--status", help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--cursor", default="", help="Where the page begins.")
@json_option
@click.pass_context
def list_executions(
    context: click.Context, recipe: str, status: str | None, limit: int, cursor: str, as_json: bool
) -> None:
    """List executions, the newest send first."""
    params = {"type": "executions", "recipeId": recipe, "limit": limit, "cursor": cursor}
    params |= {"status": status} if status else {}
    answer = system(context).call("GET", "/api/automation/monitor", params=params)
    show(answer, as_json=as_json, columns=_LISTED)


@executions.command("show")
@click.argument("execution")
@json_option
@click.pass_context
def show_execution(context: click.Context, execution: str, as_json: bool) -> None:
    """Show EXECUTION with its pushes and violations."""
    answer = system(context).call("GET", place_of(execution))
    show(answer, as_json=as_json, columns=_PUSHES, rows=answer.data["pushes"])
    if as_json:
        return
    found = answer.data
    left = f", {found['secondsToSend']} seconds to T-0" if found["secondsToSend"] else ""
    click.echo(f"{found['status']}{left}; phase: {found['phase'] or 'none'} {found['reason']}".rstrip())
    if found["waiting"]:
        click.echo(f"it {found['waiting']['message']}")
    if found["unknownWhy"]:
        click.echo(found["unknownWhy"])
    for violation in found["violations"]:
        click.echo(f"{violation['severity']}: {violation['message']}")
    if found["possible"]:
        click.echo(f"possible now: {', '.join(found['possible'])}")


@executions.command("log")
@click.argument("execution")
@json_option
@click.pass_context
def show_log(context: click.Context, execution: str, as_json: bool) -> None:
    """Show what happened in EXECUTION, line by line."""
    answer = system(context).call("GET", f"{place_of(execution)}/log")
    columns = {"at": "at", "phase": "phase", "level": "level", "what": "message"}
    show(answer, as_json=as_json, columns=columns)


@executions.command("export")
@click.argument("execution")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there. [default: print it]")
@force_option("Replace the file if it exists.")
@click.pass_context
def export_execution(context: click.Context, execution: str, out: Path | None, force: bool) -> None:
    """Export the outcome of every user of EXECUTION, as CSV."""
    if out is not None:
        check_new(out, force=force)
    text = system(context).text(f"{place_of(execution)}/export")
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8", newline="")


def place_of(execution: str) -> str:
    """Return the address of an execution, whose id begins with the recipe's id."""
    recipe, underscore, _ = execution.rpartition("_")
    if not underscore:
        raise BadInput(f"{execution!r} is not the id of an execution; tminus executions list shows them")
    return f"/api/automation/{part(recipe)}/executions/{part(execution)}"
