"""`tminus recipes push`: save the recipes of the workspace to a running system."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from functions.domain.errors import BadFields, FieldCode, FieldError
from functions.domain.recipe.read import Document
from functions.domain.recipe.status import Status
from local.cli.api_client import ApiClient, Declined, NoAnswer, NotThere
from local.cli.options import json_option, settings_with
from local.cli.recipe_check import check_files
from local.cli.recipes_compared import (
    AT,
    REFUSED,
    Found,
    chosen_paths,
    files_argument,
    place_of,
    print_found,
    refused,
    say,
    say_total,
    shortened,
    stored_recipes,
)
from local.cli.remote import ask_first, system_or_up, underway_option, yes_option
from local.cli.workspace import BAD_INPUT
from local.runtime.recipe_differences import Difference, cleared, differences, stored_form
from local.runtime.recipe_folder import RecipeFile, read_recipes

_CREATED, _REPLACED, _SAME = "created", "replaced", "same"
_MEANWHILE = {
    404: "was removed from the system while this ran; push again to create it",
    412: "was changed in the system while this ran; see tminus recipes diff, and push again to replace it",
}


@dataclass(frozen=True, kw_only=True)
class _Step:
    """What to do for a file: `stored` and `etag` are the recipe that it replaces, as it was read."""

    file: RecipeFile
    wanted: Document
    outcome: str
    stored: Document
    etag: str = ""
    fields: Sequence[Difference] = ()

    def found(self, message: str = "") -> Found:
        """Return what is said once this is done."""
        return Found(
            recipe_id=self.file.id,
            file=str(self.file.path),
            outcome=self.outcome,
            message=message,
            fields=self.fields,
        )


@click.command("push")
@files_argument
@click.option("--dry-run", is_flag=True, help="Show what would be created and replaced, and change nothing.")
@underway_option
@yes_option
@json_option
@click.pass_context
def push_recipes(
    context: click.Context, files: tuple[Path, ...], dry_run: bool, underway: str | None, yes: bool, as_json: bool
) -> None:
    """Save the recipe files to a running system.

    Takes FILEs, or all of recipes/ in the workspace. Checks them first, as tminus recipes validate does, and
    changes nothing if one is invalid. Then it creates the recipes that are missing and replaces those that
    differ. It removes none, and does not overwrite one that somebody changes meanwhile. Repeating the command
    changes nothing. The system is tminus --url, or else tminus up on this machine. Exit status 2 if a file was
    refused.
    """
    read = _checked(chosen_paths(files), dry_run=dry_run, as_json=as_json)
    with system_or_up(context).patient() as client, ExitStack() as at_the_end:
        steps = _steps(client, read)
        if not dry_run:
            _ask(steps, yes=yes)
        found: list[Found] = []
        if as_json:  # also what was done before a problem
            at_the_end.callback(lambda: print_found(found, dryRun=dry_run))
        for each in (step.found() for step in steps) if dry_run else _saved(client, steps, underway):
            found.append(each)
            if not as_json:
                say(each, verb="would be " if dry_run and each.outcome != _SAME else "", details=dry_run)
    if not as_json:
        say_total(found, (_CREATED, _REPLACED, _SAME, REFUSED), planned=(_CREATED, _REPLACED) if dry_run else ())
    sys.exit(BAD_INPUT if any(each.refused for each in found) else 0)


def _checked(paths: Sequence[Path], *, dry_run: bool, as_json: bool) -> list[RecipeFile]:
    """Return the recipes of valid files. If one is invalid, print what is wrong with each and end."""
    settings = settings_with(None)
    files = read_recipes(paths)
    checked = check_files([file.path for file in files], settings)
    wrong = [each for each in map(_problems, files, checked) if each]
    if not wrong:
        return files
    if as_json:
        print_found(wrong, dryRun=dry_run)
    for each in () if as_json else wrong:
        say(each)
    if not as_json:
        click.echo("tminus: nothing was saved: correct the files, and push again", err=True)
    sys.exit(BAD_INPUT)


def _problems(file: RecipeFile, checked: dict[str, Any]) -> Found | None:
    """Return what is wrong with a file; None if it is valid."""
    errors = [
        FieldError(error["field"], error["reason"], FieldCode(error["code"])) for error in checked.get("errors", ())
    ]
    return refused(file.id, file.path, *(errors or file.errors)) if errors or file.errors else None


def _steps(client: ApiClient, files: Sequence[RecipeFile]) -> list[_Step]:
    stored = stored_recipes(client) if files else {}
    return [_step(client, file, file.document or {}, stored.get(file.id)) for file in files]


def _step(client: ApiClient, file: RecipeFile, wanted: Document, listed: Document | None) -> _Step:
    """Return what to do for a file. A recipe that differs is read again, for its version."""
    if listed is None:
        return _Step(file=file, wanted=wanted, outcome=_CREATED, stored={})
    if not differences(stored_form(listed), wanted):
        return _Step(file=file, wanted=wanted, outcome=_SAME, stored=listed)
    try:
        answer = client.call("GET", place_of(file.id))
    except NotThere:
        return _Step(file=file, wanted=wanted, outcome=_CREATED, stored={})
    fields = differences(stored_form(answer.data), wanted)
    outcome = _REPLACED if fields else _SAME
    return _Step(file=file, wanted=wanted, outcome=outcome, stored=answer.data, etag=answer.etag, fields=fields)


def _ask(steps: Sequence[_Step], *, yes: bool) -> None:
    """Ask before recipes are saved that send."""
    active = [s.file.id for s in steps if s.outcome != _SAME and s.wanted["status"] == Status.ACTIVE]
    if active:
        one = len(active) == 1
        said = f"{shortened(active)} {'is' if one else 'are'} active and will send to real users at"
        ask_first(f"{said} {'its' if one else 'their'} times. Push {'it' if one else 'them'}?", yes=yes)


def _saved(client: ApiClient, steps: Sequence[_Step], underway: str | None) -> Iterator[Found]:
    """Save what differs, and yield what happened to each recipe."""
    for step in steps:
        try:
            yield step.found() if step.outcome == _SAME else step.found(_save(client, step, underway))
        except (BadFields, Declined) as error:
            yield _after(client, step, error)
        except NoAnswer as error:
            raise NoAnswer(f"{error}; what was saved stays saved: push again for the rest") from None


def _save(client: ApiClient, step: _Step, underway: str | None) -> str:
    """Create or replace a recipe, and return what the system says."""
    if step.outcome == _CREATED:
        return client.call("POST", AT, json=step.wanted).message
    params = {"underway": underway} if underway else {}
    changes, headers = cleared(step.stored, step.wanted), {"If-Match": step.etag}
    return client.call("PUT", place_of(step.file.id), json=changes, headers=headers, params=params).message


def _after(client: ApiClient, step: _Step, error: BadFields | Declined) -> Found:
    """Return what became of a recipe that was not saved, unless an earlier request without an answer saved it."""
    if isinstance(error, Declined) and error.status in (409, 412) and _is_saved(client, step):
        return step.found()
    return refused(step.file.id, step.file.path, *_reasons(error), fields=step.fields)


def _is_saved(client: ApiClient, step: _Step) -> bool:
    try:
        now = client.call("GET", place_of(step.file.id)).data
    except NotThere:
        return False
    return not differences(stored_form(now), step.wanted)


def _reasons(error: BadFields | Declined) -> Sequence[str | FieldError]:
    if isinstance(error, BadFields):  # this machine has accepted the file, with its own workspace
        return [
            replace(each, reason=f"the system says, by its own workspace: {each.reason}") for each in error.errors
        ]
    way = "; choose with --underway" if error.code == "schedule_underway" else ""
    return [_MEANWHILE.get(error.status, f"{error}{way}")]
