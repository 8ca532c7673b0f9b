"""The small working job that `tminus jobs new` writes."""

from pathlib import Path

from audience_jobs.job_files import NAME, PYTHON, SQL
from audience_jobs.registry import FOLDER
from audience_jobs.schema import Tables
from audience_jobs.workspace import Workspace
from functions.domain.errors import BadInput
from local.cli.jobs_example import example_over

_SQL = """/*
title = "@TITLE@"
layer = 3

[columns]
@MEANINGS@
@PARAMETERS@*/

-- One SELECT in PostgreSQL's dialect, with user_id. It reads parameters as $name, and the time as $now (UTC), so that
-- a repeat gives the same rows. All that stands above may be left out.
@SELECT@
"""
_SQL_PARAMETERS = """
[parameters.days]
type = "integer"
default = 30
minimum = 1
maximum = 3650
meaning = "how many days ago @AT@ may be at most"
"""
_PYTHON = '''"""@TITLE@."""

@IMPORTS@

# One SELECT in PostgreSQL's dialect. It yields `audience`, `user_id` and every column that is declared below.
# Parameters are read as $name, and the time as $now (UTC), so that a repeat gives the same rows.
_SQL = """
@SELECT@
"""

JOB = Job(
    id="@NAME@",
    title="@TITLE@",
    layer=3,
    parameters=(@PARAMETERS@),
    audiences=(
        Audience(
            name="@NAME@",
            columns=(
                Column(name="user_id", type="text", meaning="the user's id"),
@COLUMNS@            ),
            meaning="users that @NAME@ finds",
        ),
    ),
    sql=_SQL,
)
'''
_PYTHON_COLUMN = """                Column(name="{}", type="text", meaning="{}"),
"""
# Not at the start of a line: the build of a wheel would rename what it imports.
_IMPORTS = f"from {'audience_jobs'}.contract import Audience, Column, Job, Parameter"
_PYTHON_PARAMETERS = """
        Parameter(
            name="days",
            type="integer",
            default=30,
            minimum=1,
            maximum=3650,
            meaning="how many days ago @AT@ may be at most",
        ),
    """


def jobs_folder(workspace: Workspace) -> Path:
    """Return where a workspace has its jobs."""
    return workspace.folder / FOLDER


def write_job(name: str, workspace: Workspace, folder: Path | None = None, *, python: bool = False) -> Path:
    """Write the job `name` into a folder, by default the workspace's, and return its file, in SQL or in Python.

    Raises BadInput if the name is not a valid module name or is taken, or no table has users to read.
    """
    if not NAME.fullmatch(name):
        raise BadInput(f"{name!r} cannot be a job's name: write lower case letters, digits and _, a letter first")
    text = _written(name, workspace.models.readable, python=python)
    if folder is None:
        folder = jobs_folder(workspace)
        folder.mkdir(exist_ok=True)
    path, other = (folder / f"{name}{ending}" for ending in ((PYTHON, SQL) if python else (SQL, PYTHON)))
    if taken := next((file for file in (path, other) if file.exists()), None):
        raise BadInput(f"{taken} already exists: choose another name")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileNotFoundError:
        raise BadInput(f"{path.parent}: no such folder; make it first") from None
    return path


def _written(name: str, tables: Tables, *, python: bool) -> str:
    example = example_over(tables)
    meanings = {column: f"the {column} of {example.table}; say what it means" for column in example.texts}
    before = [f"'{name}' AS audience"] if python else []
    parameters = (_PYTHON_PARAMETERS if python else _SQL_PARAMETERS) if example.at else ""
    filled = {
        "@PARAMETERS@": parameters.replace("@AT@", example.at or ""),
        "@IMPORTS@": _IMPORTS if example.at else _IMPORTS.removesuffix(", Parameter"),
        "@TITLE@": name.replace("_", " ").capitalize(),
        "@NAME@": name,
        "@SELECT@": example.select(*before),
        "@COLUMNS@": "".join(map(_PYTHON_COLUMN.format, meanings, meanings.values())),
        "@MEANINGS@": "\n".join(f'{column} = "{meaning}"' for column, meaning in meanings.items()),
    }
    text = _PYTHON if python else _SQL
    for place, content in filled.items():
        text = text.replace(place, content)
    return text
