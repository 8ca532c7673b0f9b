"""`tminus users`: everything that is stored about one user, and its erasure."""

from pathlib import Path
from typing import Any

import click

from functions.handlers.http.as_json import as_json as to_json
from functions.usecases.people.erase_user import erase_user
from functions.usecases.people.find_user import find_user
from local.cli.api_client import ApiClient
from local.cli.options import data_option, folder, json_option, print_json
from local.cli.progress import spinner
from local.cli.remote import ask_first, maybe_system, yes_option
from local.cli.state import opened

_state = click.option(
    "--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept."
)
_STORES = {
    "recipes": "recipes",
    "executions": "snapshots of executions",
    "rows": "rows of files",
    "ledger": "pushes in the cadence ledger",
    "notifications": "pushes of the last 90 days",
    "testPeople": "entries in the list of test people",
    "audit": "documents in the audit log",
    "outbox": "messages in the outbox",
}


@click.group()
def users() -> None:
    """Export and erase what is stored about one user, in a state folder or of a running system (--url)."""


@users.command()
@click.argument("user_id")
@_state
@data_option
@json_option
@click.pass_context
def export(context: click.Context, user_id: str, state: Path, data: Path | str | None, as_json: bool) -> None:
    """Show everything that Tminus holds about USER_ID, store by store; with --json, complete and for other programs.

    The user data are not in it: your own systems hold those.
    """
    with spinner("reading every store", quiet=as_json):
        found = _found(maybe_system(context), state, data, user_id)
    if as_json:
        print_json(found)
        return
    for name, words in _STORES.items():
        click.echo(f"{len(found[name]):,} {words}")
        for each in found[name]:
            click.echo(f"  {_line(each)}")
    click.echo(f"{found['deadTokens']:,} device tokens that count as dead")
    _warn_of_settings(found["settings"])


@users.command()
@click.argument("user_id")
@_state
@data_option
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
@yes_option
@json_option
@click.pass_context
def erase(
    context: click.Context,
    user_id: str,
    state: Path,
    data: Path | str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase USER_ID from every store. Counts stay; the audit log keeps a keyed hash of the id and nothing else.

    It is refused while an execution with the user is under way. After an interruption, run it again. Erase the user
    from your own user data first: as long as they name the user, later audiences can.
    """
    client = maybe_system(context)
    if dry_run:
        found = _found(client, state, data, user_id)
        counts = {name: len(found[name]) for name in _STORES}
        print_json(counts) if as_json else _show_counts("would be erased", counts)
        return
    ask_first("The user's rows, messages and history cannot be brought back. Erase the user?", yes=yes)
    with spinner("erasing", quiet=as_json) as update:
        if client is not None:
            erased: Any = client.call("POST", "/api/users/erase", json={"userId": user_id, "dryRun": False}).data
        else:
            with opened(state, data) as ports:
                erased = to_json(
                    erase_user(ports, user_id, by="cli", progress=lambda part: update(f"erasing: {part}"))
                )
    if as_json:
        print_json(erased)
    else:
        _show_counts("erased", {name: count for name, count in erased.items() if isinstance(count, int)})
        _warn_of_settings(erased["settings"])


def _found(client: ApiClient | None, state: Path, data: Path | str | None, user_id: str) -> Any:
    if client is not None:
        return client.call("POST", "/api/users/export", json={"userId": user_id}).data
    with opened(state, data) as ports:
        return to_json(find_user(ports, user_id))


def _show_counts(done: str, counts: dict[str, int]) -> None:
    for name, count in counts.items():
        words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
        click.echo(f"{words}: {count:,} {done}")


def _warn_of_settings(settings: list[str]) -> None:
    for name in settings:
        click.echo(f"the setting {name} holds the id: take it out", err=True)


def _line(each: Any) -> str:
    return "  ".join(str(value) for value in each.values())
