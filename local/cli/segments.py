"""`tminus segments`: conditions with a name, which several recipes use."""

import json
from pathlib import Path
from typing import Any

import click

from functions.domain.errors import BadInput
from local.cli.options import json_option, print_json
from local.cli.remote import ask_first, show, system_or_up, yes_option

_AT = "/api/segments"


@click.group()
def segments() -> None:
    """List, save and delete segments of a running system (--url, or `tminus up` of this machine)."""


@segments.command("list")
@json_option
@click.pass_context
def list_all(context: click.Context, as_json: bool) -> None:
    """List the segments with their conditions in words."""
    answer = system_or_up(context).call("GET", _AT)
    show(answer, as_json=as_json, columns={"id": "id", "name": "name", "who": "words", "changed by": "updatedBy"})


@segments.command("show")
@click.argument("segment")
@click.pass_context
def show_one(context: click.Context, segment: str) -> None:
    """Show a segment as JSON, with the recipes that use it."""
    print_json(system_or_up(context).call("GET", f"{_AT}/{segment}").data)


@segments.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@yes_option
@click.pass_context
def save(context: click.Context, file: Path, as_json: bool, yes: bool) -> None:
    """Save the segment in FILE, JSON with id, name and where. The recipes that use it get its conditions.

    Asks first if recipes use it.
    """
    written = _read(file)
    client, wanted = system_or_up(context), written.pop("id", "")
    known = [each["id"] for each in client.call("GET", _AT).data]
    if wanted not in known:
        show(client.call("POST", _AT, json={**written, "id": wanted}), as_json=as_json)
        return
    using = client.call("GET", f"{_AT}/{wanted}").data["recipes"]
    if using:
        names = ", ".join(each["id"] for each in using)
        ask_first(f"{len(using)} recipes use this segment and change with it: {names}. Save it?", yes=yes)
    show(client.call("PUT", f"{_AT}/{wanted}", json=written), as_json=as_json)


@segments.command()
@click.argument("segment")
@json_option
@yes_option
@click.pass_context
def delete(context: click.Context, segment: str, as_json: bool, yes: bool) -> None:
    """Delete a segment that no recipe uses."""
    ask_first(f"Delete the segment {segment}?", yes=yes)
    show(system_or_up(context).call("DELETE", f"{_AT}/{segment}"), as_json=as_json)


def _read(file: Path) -> dict[str, Any]:
    try:
        written = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: is not valid JSON: {error}") from None
    if not isinstance(written, dict):
        raise BadInput(f"{file}: must be an object with id, name and where")
    return {name: written[name] for name in ("id", "name", "description", "where") if name in written}
