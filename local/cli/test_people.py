"""`tminus test-people`: colleagues who can get a test push by hand, of a running system."""

import click

from local.cli.api_client import Answer
from local.cli.options import json_option
from local.cli.remote import ask_first, show, system, yes_option

_AT = "/api/test-people"


@click.group("test-people")
def test_people() -> None:
    """Manage the named test people of a running system."""


@test_people.command("list")
@json_option
@click.pass_context
def list_people(context: click.Context, as_json: bool) -> None:
    """Show all test people."""
    _show(system(context).call("GET", _AT), as_json=as_json)


@test_people.command()
@click.argument("name")
@click.argument("user_id")
@click.option("--email", default="", help="The address with which the person signs in to the console.")
@json_option
@click.pass_context
def add(context: click.Context, name: str, user_id: str, email: str, as_json: bool) -> None:
    """Add NAME, who is USER_ID in the app. A test person with this user id is replaced."""
    body = {"name": name, "userId": user_id, "email": email}
    _show(system(context).call("POST", _AT, json=body), as_json=as_json)


@test_people.command()
@click.argument("user_id")
@yes_option
@json_option
@click.pass_context
def remove(context: click.Context, user_id: str, yes: bool, as_json: bool) -> None:
    """Remove the test person who is USER_ID in the app."""
    ask_first("The person gets no further test pushes by hand. Remove the test person?", yes=yes)
    _show(system(context).call("POST", f"{_AT}/remove", json={"userId": user_id}), as_json=as_json)


def _show(answer: Answer, *, as_json: bool) -> None:
    columns = {"name": "name", "user": "userId", "e-mail": "email"}
    show(answer, as_json=as_json, columns=columns, rows=answer.data["people"])
