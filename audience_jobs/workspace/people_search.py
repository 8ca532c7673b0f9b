"""Reads by which columns of the model people operators may search for a person: `[people] search`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audience_jobs.workspace.toml_file import Problem, TomlFile, shown, suggestion

if TYPE_CHECKING:
    from audience_jobs.workspace.models import Models

KEY = "people"
_SEARCH = "search"
_EXAMPLE = 'search = ["email"]'


def searched(file: TomlFile) -> tuple[str, ...]:
    """Return the columns. Private ones are among them if the workspace names them."""
    return tuple(file.content.get(KEY, {}).get(_SEARCH, ()))


def problems_of(file: TomlFile) -> Sequence[Problem]:
    """Return everything that is wrong in this part of tminus.toml."""
    written = file.content.get(KEY, {})
    if not isinstance(written, dict):
        return [file.problem([KEY], f"is {shown(written)}: write below [{KEY}], as in {_EXAMPLE}")]
    unknown = [name for name in written if name != _SEARCH]
    found = [file.problem([KEY, name], f"unknown key{suggestion(name, [_SEARCH])}") for name in unknown]
    columns = written.get(_SEARCH, [])
    wrong = columns if not isinstance(columns, list) else next((e for e in columns if not isinstance(e, str)), None)
    if wrong is not None:
        found.append(file.problem([KEY, _SEARCH], f"has {shown(wrong)}: write a list, as in {_EXAMPLE}"))
    return found


def check_columns(file: TomlFile, models: "Models") -> Sequence[Problem]:
    """Return the names that are no columns of the model people."""
    known = [*models["people"].columns] if "people" in models else []
    where = "no column of the model people" if known else "given, but the workspace has no model people"
    return [
        file.problem([KEY, _SEARCH], f"{shown(name)} is {where}{suggestion(name, known) if known else ''}")
        for name in searched(file)
        if name not in known
    ]
