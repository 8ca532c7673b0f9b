"""`tminus send`: send one push once, on a running system."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from functions.domain.cadence.layers import MOST_LAYER
from functions.domain.errors import BadInput
from functions.domain.recipe.push_fields import CONTENT
from local.cli.api_client import Answer, ApiClient, NoAnswer
from local.cli.options import json_option
from local.cli.remote import ask_first, show, system, yes_option
from local.cli.uploads import UploadFile
from local.runtime.recipe_files import MOST_BYTES, read_json_file


@click.command()
@click.option("--title", required=True, help="May use the columns of the file: [[var:name|you]].")
@click.option("--body", required=True)
@click.option("--name", help="The name of the send, for reports and the console.")
@click.option("--link", help="The deep link.")
@click.option(
    "--layer", type=click.IntRange(1, MOST_LAYER), required=True, help="The class on which cadence rules act."
)
@click.option("--file", type=UploadFile(), help="The users: a CSV with the column user_id, or its gs:// address.")
@click.option("--user", "users", multiple=True, help="The users, instead: one to five user ids, each as an option.")
@click.option("--most", type=click.IntRange(1), help="How many users it may go to. [default: 10000]")
@click.option("--literal", is_flag=True, help="Send text such as {{name}} and %name% literally.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would happen, and send nothing. Exit status 2 without any recipient."
)
@click.option(
    "--content",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A JSON file with what else the push carries, as in a recipe: {', '.join(CONTENT)}.",
)
@click.option("--key", help="A name for this push: a repeat with the same name sends once. [default: a new name]")
@yes_option
@json_option
@click.pass_context
def send(
    context: click.Context,
    title: str,
    body: str,
    name: str | None,
    link: str | None,
    layer: int,
    file: Path | str | None,
    users: tuple[str, ...],
    most: int | None,
    literal: bool,
    dry_run: bool,
    content: Path | None,
    key: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Send one push once, to the users in a file or to one to five users (--url).

    First shows how many users it would reach, and asks.
    """
    client = system(context)
    if bool(file) == bool(users):
        raise BadInput("say which users: --file FILE, or --user ID once to five times")
    fields = {"title": title, "body": body, "deepLink": link, "layerId": layer, "maxAudienceSize": most}
    fields |= {"literalText": literal or None, "name": name}
    fields["content"] = read_json_file(content, most_bytes=MOST_BYTES) if content else None
    push = {name: value for name, value in fields.items() if value is not None}
    if dry_run or not yes:
        tried = _post(client, {**push, "dryRun": True}, file, users)
        if dry_run:
            _show_trial(tried, as_json=as_json)
            sys.exit(0 if tried.data["valid"] else 2)
        _show_trial(tried, as_json=False, err=True)
        ask_first("Send it?", yes=yes)
    key = key or uuid4().hex
    try:
        answer = _post(client, push, file, users, key=key)
    except NoAnswer as error:
        way = f"it may or may not be sent: repeat with --key {key}, and it is sent once"
        raise NoAnswer(f"{error}; {way}") from None
    show(answer, as_json=as_json)


def _post(
    client: ApiClient, push: dict[str, Any], file: Path | str | None, users: tuple[str, ...], key: str = ""
) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    if file is None:
        return client.call("POST", "/api/send-push", json={**push, "userIds": list(users)}, headers=headers)
    if isinstance(file, str):
        return client.call("POST", "/api/send-push", json={**push, "fileAddress": file}, headers=headers)
    with ExitStack() as opened:
        users_file = opened.enter_context(file.open("rb"))
        data = {name: value if isinstance(value, str) else json.dumps(value) for name, value in push.items()}
        files = {"file": (file.name, users_file, "text/csv")}
        return client.call("POST", "/api/send-push", data=data, files=files, headers=headers)


def _show_trial(answer: Answer, *, as_json: bool, err: bool = False) -> None:
    if as_json:
        show(answer, as_json=True)
        return
    totals = answer.data["totals"]
    excluded = "".join(f", {count:,} {reason}" for reason, count in totals["excluded"].items())
    click.echo(f"{totals['people']:,} users: {totals['eligiblePeople']:,} would get it{excluded}", err=err)
    for push in answer.data["pushes"]:
        for sample in push["samples"][:1]:
            click.echo(f"for example: {sample['title']!r}: {sample['body']!r}", err=err)
    for problem in answer.data["problems"]:
        click.echo(f"{problem['severity']}: {problem['message']}", err=err)
