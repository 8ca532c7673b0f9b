"""Shared by commands that call a running system: its address, tables, and confirmations."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from functions.domain.errors import BadInput
from functions.domain.recipe.first_send import Underway
from local.cli.api_client import Answer, ApiClient
from local.cli.options import print_json, size_of

_UP = "http://127.0.0.1:8080"
"""Where `tminus up` serves unless it is told otherwise."""
underway_option = click.option(
    "--underway",
    type=click.Choice([each.value for each in Underway]),
    help="Where an execution under way would be moved: keep it and start tomorrow, or cancel and replace it.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask first.")


def remote_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --url and --token to a command group."""
    token = click.option("--token", envvar="TMINUS_TOKEN", default="", help="The caller's token. [env: TMINUS_TOKEN]")
    url = click.option("--url", envvar="TMINUS_URL", default="", help="A running system to call. [env: TMINUS_URL]")
    return url(token(command))


def system(context: click.Context) -> ApiClient:
    """Return the system that --url names; BadInput without --url."""
    client = maybe_system(context)
    if client is None:
        raise BadInput("say where the system runs: tminus --url http://127.0.0.1:8080 ..., or TMINUS_URL")
    return client


def maybe_system(context: click.Context) -> ApiClient | None:
    """Return the system that --url names; None if the command works on this machine."""
    found: ApiClient | None = context.find_object(ApiClient)
    return found


def system_or_up(context: click.Context) -> ApiClient:
    """Return the system that --url names, or else `tminus up` of this machine."""
    return maybe_system(context) or ApiClient(url=_UP, token=context.find_root().params["token"])


def ask_first(question: str, *, yes: bool) -> None:
    """Ask, and go on only after yes; BadInput without a terminal to ask on and without --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"{question} Without a terminal there is no way to ask: say --yes if you agree")
    click.confirm(question, abort=True, err=True)


def show(
    answer: Answer, *, as_json: bool, columns: Mapping[str, str] | None = None, rows: Iterable[Any] | None = None
) -> None:
    """Print an answer: as JSON, its rows as a table, or its message. `columns` maps titles to fields."""
    if as_json:
        print_json(answer.data)
        return
    if columns is not None:
        listed = answer.data if rows is None else rows
        print_table(list(columns), [[_cell(row, field) for field in columns.values()] for row in listed])
        if answer.next:
            click.echo(f"more: --cursor {answer.next}")
    if answer.message:
        click.echo(answer.message)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below their titles, without markup."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    console = Console(markup=False, highlight=False, soft_wrap=False)
    console.size = size_of(console)
    console.print(table if table.row_count else "none")


def _cell(row: Mapping[str, Any], path: str) -> str:
    """Return a field of a row, `a.b` for a field of a field."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def plain(text: str) -> str:
    """Escape characters that would move the cursor: names and texts are not trusted."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
