"""`tminus cadence`: the ledger's record of a user, imports of past pushes, and the rules."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from functions import bootstrap
from functions.domain.cadence.layers import MOST_LAYER
from functions.domain.errors import BadInput
from functions.domain.instants import stamp
from functions.handlers.http.as_json import as_json as to_json
from functions.ports import Ports
from functions.usecases.cadence.import_history import import_history
from functions.usecases.reports.history import MOST_DAYS, notifications_of
from local.cli.api_client import Answer, ApiClient
from local.cli.options import folder, json_option, print_json, read_instant
from local.cli.progress import read_with_bar
from local.cli.remote import ask_first, maybe_system, show, system, yes_option
from local.cli.state import require_state
from local.cli.uploads import UploadFile
from local.cli.workspace import naming_built_in, workspace_folder
from local.runtime.persistent_clock import clock_of


@click.group()
def cadence() -> None:
    """Read the cadence ledger, import past pushes, and show and change the rules of a running system (--url)."""


_RULES = "/api/cadence-rules"
_state = click.option(
    "--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept."
)


@cadence.command()
@click.argument("user_id")
@_state
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=14, show_default=True, help="How far to look back."
)
@click.option("--until", help="Look back from this instant, as 2026-11-23T18:00:00Z. [default: now]")
@json_option
@click.pass_context
def user(context: click.Context, user_id: str, state: Path, days: int, until: str | None, as_json: bool) -> None:
    """Show the pushes that USER_ID got, or did not get and why, newest first, with the texts as sent."""
    client = maybe_system(context)
    if client is not None:
        answer = client.call("POST", "/api/users/notifications", json={"userId": user_id, "days": days})
        columns = {"at": "sentAt", "layer": "layerId", "recipe": "recipeId", "outcome": "outcome", "reason": "reason"}
        columns |= {"source": "source", "title": "title"}
        show(answer, as_json=as_json, columns=columns, rows=answer.data["notifications"])
        return
    with _ports(state) as ports:
        at = read_instant(until, "--until") or ports.clock.now()
        with naming_built_in():
            found = notifications_of(ports, user_id, until=at, days=days).notifications
    if as_json:
        print_json(found)
        return
    for push in found:
        what = f"{push.execution_id}/{push.push}" if push.source == "execution" else push.name
        became = " ".join(filter(None, [push.outcome, push.reason, "(test)" if push.test else ""]))
        text = f"  {push.title}" if push.title else ""
        click.echo(f"{stamp(push.sent_at)}  layer {push.layer_id}  {what}  {became}{text}")
    if not found:
        click.echo(f"nothing is known of this user in the {days} days before {stamp(at)}; check the id")


@cadence.command("import")
@click.argument("file", type=UploadFile())
@_state
@click.option("--dry-run", is_flag=True, help="Check every row and count, but write nothing.")
@json_option
@click.pass_context
def import_file(context: click.Context, file: Path | str, state: Path, dry_run: bool, as_json: bool) -> None:
    """Import the pushes that another system sent from FILE, a CSV with user_id, layer (or layer_id) and sent_at.

    Rows that were imported before are skipped, so after an interruption run the import again. Exit status 2 if a row
    is invalid; the valid rows are imported. With --url FILE may also be gs://BUCKET/uploads/NAME in the
    deployment's bucket, where a file has more than 32 MiB.
    """
    if isinstance(file, str):
        report = _import_from_bucket(system(context), file, dry_run=dry_run)
    else:
        report = _import(maybe_system(context), file, state, dry_run=dry_run, quiet=as_json)
    if as_json:
        print_json(report)
    else:
        _show_import(file, report)
    sys.exit(2 if report["refused"] else 0)


def _import(client: ApiClient | None, file: Path, state: Path, *, dry_run: bool, quiet: bool) -> Any:
    reading = f"{file.name}: reading, then writing"
    with file.open("rb") as opened, read_with_bar(opened, file.stat().st_size, reading, quiet=quiet) as source:
        if client is not None:
            fields, files = {"dryRun": str(dry_run).lower()}, {"file": (file.name, source, "text/csv")}
            return client.call("POST", "/api/cadence/history", data=fields, files=files).data
        with _ports(state, new=True, trial=dry_run) as ports:
            return to_json(import_history(ports, source, dry_run=dry_run, by="cli"))


def _import_from_bucket(client: ApiClient, address: str, *, dry_run: bool) -> Any:
    fields = {"dryRun": (None, str(dry_run).lower()), "fileAddress": (None, address)}
    return client.call("POST", "/api/cadence/history", files=fields).data


def _show_import(file: Path | str, report: Mapping[str, Any]) -> None:
    done = "would be imported" if report["dryRun"] else "imported"
    skipped = "".join(f", {count:,} skipped: {reason}" for reason, count in report["skipped"].items())
    counted = f"{report['imported']:,} {done}, {report['duplicates']:,} duplicates{skipped}"
    click.echo(f"{report['rows']:,} rows: {counted}, {report['refused']:,} refused")
    read = ", ".join(
        name if name == meaning else f"{name} as {meaning}" for name, meaning in report["columns"].items()
    )
    left_out = f"; left out {', '.join(report['leftOut'])}" if report["leftOut"] else ""
    click.echo(f"columns: read {read}{left_out}")
    for error in report["errors"]:
        click.echo(f"{file}: line {error['line']}: {error['field']}: {error['reason']}", err=True)
    shown = len({error["line"] for error in report["errors"]})
    if report["refused"] > shown:
        click.echo(f"{file}: and {report['refused'] - shown:,} rows more", err=True)


@cadence.command()
@json_option
@click.pass_context
def rules(context: click.Context, as_json: bool) -> None:
    """Show the cadence rules of a running system."""
    answer = system(context).call("GET", _RULES)
    _show_rules(answer, as_json=as_json)
    if answer.message:
        click.echo(answer.message, err=True)


@cadence.command()
@json_option
@click.pass_context
def layers(context: click.Context, as_json: bool) -> None:
    """Show the layers of a running system's workspace, and the rules that act on each."""
    answer = system(context).call("GET", "/api/layers")
    columns = {"layer": "number", "name": "name", "exempt": "exempt", "rules": "rules"}
    show(answer, as_json=as_json, columns=columns, rows=answer.data)


@cadence.command("set")
@click.argument("rule")
@click.option("--hours", type=int, help="How long a push counts.")
@click.option("--count", type=int, help="How many pushes a user may get in that time.")
@click.option("--on/--off", "active", default=None, help="Whether the rule holds.")
@yes_option
@json_option
@click.pass_context
def set_rule(
    context: click.Context,
    rule: str,
    hours: int | None,
    count: int | None,
    active: bool | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Change RULE of a running system, a name that `tminus cadence rules` shows. It applies from the next shard."""
    if hours is None and count is None and active is None:
        raise BadInput("say what to change: --hours, --count, --on or --off")
    ask_first(f"{rule} decides how often all users get pushes. Change it?", yes=yes)
    given = {"hours": hours, "count": count, "active": active}
    news = {name: value for name, value in given.items() if value is not None}
    body = {"rules": [{"name": rule, **news}]}
    _show_rules(system(context).call("PUT", _RULES, json=body), as_json=as_json)


@cadence.command("filter")
@click.argument("layer", type=click.IntRange(1, MOST_LAYER))
@click.argument("users", nargs=-1, required=True, metavar="USER_ID...")
@json_option
@click.pass_context
def filter_users(context: click.Context, layer: int, users: tuple[str, ...], as_json: bool) -> None:
    """Ask a running system which users may get a push of LAYER now."""
    asked = {"userIds": list(users), "layerId": layer}
    answer = system(context).call("POST", "/api/filter-audience", json=asked)
    found = answer.data
    rows = [{"user": user, "may": "yes"} for user in found["eligibleUserIds"]]
    show(answer, as_json=as_json, columns={"user": "user", "may get it": "may"}, rows=rows)
    if not as_json:
        for reason, times in found["exclusionBreakdown"].items():
            click.echo(f"{reason}: {times:,}")


def _show_rules(answer: Answer, *, as_json: bool) -> None:
    columns = {"rule": "name", "layers": "layers", "pushes": "count", "in hours": "hours", "holds": "active"}
    show(answer, as_json=as_json, columns=columns, rows=answer.data["rules"])


@contextmanager
def _ports(state: Path, *, new: bool = False, trial: bool = False) -> Iterator[Ports]:
    """Open the state in a folder, which may be new. A dry run does not create the folder."""
    missing = not (state / "tminus.db").is_file()
    if not new:
        require_state(state)
    with TemporaryDirectory(prefix="tminus-") as aside:
        settings = replace(
            bootstrap.settings_of(workspace_folder()), state_dir=Path(aside) if missing and trial else state
        )
        with closing(bootstrap.embedded(settings, clock_of(state))) as opened:
            yield opened.ports
