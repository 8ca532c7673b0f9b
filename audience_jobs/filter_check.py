"""Checks what the filters and data packs of a workspace read, against its tables."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from audience_jobs.criteria import Asked, Criteria
from audience_jobs.errors import BadWorkspace, RefusedQuery
from audience_jobs.private_data import read_public
from audience_jobs.query_based import query_of
from audience_jobs.workspace import DATA_PACKS_FILE, FILE, Workspace
from audience_jobs.workspace.filters import Filter, FilterValue, Kind
from audience_jobs.workspace.toml_file import Problem, read_toml

_EXAMPLES: dict[Kind, FilterValue] = {"days": 1, "count": 1, "yes_no": True, "instant": datetime(2026, 1, 1)}  # noqa: DTZ001 - UTC


def check_filters(workspace: Workspace) -> None:
    """Raise BadWorkspace with each filter and data pack whose SQL cannot be read over the tables of the workspace."""
    if problems := list(_problems(workspace)):
        raise BadWorkspace(map(str, problems))


def _problems(workspace: Workspace) -> Iterator[Problem]:
    file = read_toml(workspace.folder / FILE)
    try:
        query_of(Criteria(), workspace.tables)
    except RefusedQuery:
        reason = "need a table users with a column id, which tables.toml lacks"
        yield file.problem(["filters"], reason) if workspace.filters else Problem(_packs_of(workspace), 1, reason)
        return
    for each in workspace.filters.values():
        if reason := _filter_fault(each, workspace):
            yield file.problem(["filters", each.name, "sql"], reason)
    for pack in workspace.data_packs.values():
        if reason := _fault(Criteria(data_packs=(pack,)), workspace):
            yield Problem(_packs_of(workspace), 1, f"{pack.name}: {reason}")


def _packs_of(workspace: Workspace) -> Path:
    return workspace.folder / DATA_PACKS_FILE


def _filter_fault(of: Filter, workspace: Workspace) -> str:
    """Return what is wrong with a filter; empty where nothing is. It stands beside others, and may be negated."""
    if reason := _fault(Criteria(filters=(Asked(filter=of, value=_EXAMPLES[of.kind]),)), workspace):
        return reason
    return "" if _is_one(of.sql) else "is not one condition: put parentheses around all of it"


def _is_one(sql: str) -> bool:
    """Whether SQL is one condition, which AND and NOT take as a whole."""
    try:
        [selected] = sqlglot.parse_one(f"SELECT {sql}\n", read="postgres", into=exp.Select).selects
    except (SqlglotError, ValueError):
        return False
    return not isinstance(selected, exp.Connector)


def _fault(criteria: Criteria, workspace: Workspace) -> str:
    try:
        read_public(query_of(criteria, workspace.tables), workspace.tables)
        for asked in criteria.filters:
            if asked.filter.freshness:
                asked.filter.freshness.check(workspace.tables)
    except (RefusedQuery, ValueError) as error:
        return error.reason if isinstance(error, RefusedQuery) else str(error)
    return ""
