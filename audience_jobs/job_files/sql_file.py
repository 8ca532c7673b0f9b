"""Reads a job from an SQL file: one SELECT, and above it, if it needs more, a declaration in TOML.

The declaration is the block comment above the SELECT. Below it the SELECT is read as a recipe's own is: it reads
nothing private, and the columns that it yields have a type that all engines write alike.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from audience_jobs.contract import Audience, Check, Column, Freshness, Job
from audience_jobs.custom_query import CustomQuery, read_public_select
from audience_jobs.errors import BadWorkspace, RefusedQuery
from audience_jobs.job_files.header import DeclaredAudience, Header, read_header
from audience_jobs.prepared import RESULT_TABLE
from audience_jobs.private_data import public_sql, read_public
from audience_jobs.query import read_query, refusing_depth
from audience_jobs.schema import SourceColumn, SourceTable, Tables
from audience_jobs.sql import literal, quoted
from audience_jobs.workspace.model_files import line_of
from audience_jobs.workspace.models import Models
from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, parse_toml, read_text, shown, suggestion

_COMMENT = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z))*+/\*(?P<toml>.*?)(?P<end>\*/|\Z)", re.DOTALL)
_NOT_TOML = "; the block comment above the SELECT is the job's declaration: write other comments with --"
_AUDIENCE = "audience"
_MEANING = "a column of the job's own SELECT"


def read_sql_file(path: Path, models: Models) -> Job:
    """Return the job of a file, named after it. Raises BadWorkspace with the problems, each with its line."""
    text = read_text(path)
    declaration, sql = _parts(path, text)
    if not sql.strip():
        raise BadWorkspace([f"{path}:1: has no SELECT: write one that yields user_id, as in id AS user_id"])
    reading = _Reading(declaration, sql, read_header(declaration, path.stem), models)
    job = reading.job()
    if job is None or reading.problems:
        raise BadWorkspace(map(str, sorted(reading.problems)))
    return job


def _parts(path: Path, text: str) -> tuple[TomlFile, str]:
    """Return the declaration and the SELECT, each behind empty lines, so that their lines are the file's."""
    found = _COMMENT.match(text)
    if found is None:
        return TomlFile(path, "", {}), text
    before = "\n" * text.count("\n", 0, found.start("toml"))
    if not found["end"]:
        raise BadWorkspace([f"{path}:{len(before) + 1}: the comment has no end: write */ below the declaration"])
    try:
        declaration = parse_toml(path, before + found["toml"])
    except BadWorkspace as error:
        raise BadWorkspace(problem + _NOT_TOML for problem in error.problems) from None
    return declaration, "\n" * text.count("\n", 0, found.end()) + text[found.end() :]


class _Reading:
    """Makes a job of what a file says, and notes in `problems` where that does not fit together."""

    def __init__(self, file: TomlFile, sql: str, header: Header, models: Models) -> None:
        self._file, self._sql, self._header = file, sql, header
        self._source, self._tables = models.tables, models.readable
        self._parameters = ["now", *(parameter.name for parameter in header.parameters)]
        self.problems: list[Problem] = []

    def job(self) -> Job | None:
        """Return the job; it counts only where there are no problems."""
        header, select = self._header, self._select()
        if select is None:
            return None
        columns = {column.name: self._meant(column) for column in _columns_of(select)}
        self._check_columns_named(columns)
        audiences = tuple(self._audiences(columns, splits=_AUDIENCE in [c.name for c in select.columns]))
        checks = tuple(self._checks(columns.values()))
        self._check_read([select.sql, *(check.failing_sql for check in checks)])
        self._check_freshness(header.freshness)
        if self.problems:
            return None
        return Job(
            id=self._file.path.stem,
            title=header.title,
            layer=header.layer,
            parameters=header.parameters,
            audiences=audiences,
            sql=_job_sql(select, audiences[0].name),
            checks=checks,
            freshness=header.freshness,
        )

    def _select(self) -> CustomQuery | None:
        try:
            select = read_public_select(self._sql, self._tables, parameters=self._parameters)
            read_query(_job_sql(select, ""), parameters=self._parameters, tables=self._tables)  # it is longer
        except RefusedQuery as refused:
            self._refuse(refused.reason)
            return None
        return select

    def _meant(self, column: Column) -> Column:
        return replace(column, meaning=self._header.columns.get(column.name, column.meaning))

    def _check_columns_named(self, columns: Iterable[str]) -> None:
        known = list(columns)
        for name in self._header.columns:
            self._check_column(("columns", name), name, known)

    def _check_column(self, keys: Keys, name: str, known: list[str]) -> None:
        if name.lower() in known and name not in known:
            self._note(
                keys, f"the SELECT yields {name.lower()}: SQL keeps capitals in quotes, as in AS {quoted(name)}"
            )
        elif name not in known:
            self._note(keys, f"the SELECT yields no column {shown(name)}{suggestion(name, known)}")

    def _audiences(self, columns: dict[str, Column], *, splits: bool) -> Iterator[Audience]:
        job_id = self._file.path.stem
        declared = self._header.audiences
        if splits and not declared:
            self._refuse("yields a column audience: declare the audiences above, each as in [audiences.NAME]")
        if not splits and len(declared) > 1:
            reason = f"the SELECT yields no column audience, which names one of the {len(declared)} for each row"
            self._note(("audiences",), reason)
        whole = DeclaredAudience(name=job_id, meaning=f"users that {job_id} finds", columns=None)
        for audience in declared or (whole,):
            keys = ("audiences", audience.name, "columns")
            names = list(columns) if audience.columns is None else list(dict.fromkeys(audience.columns))
            if names[:1] != ["user_id"]:
                self._note(keys, "the first column has to be user_id")
            elif len(names) < len(audience.columns or ()):
                self._note(keys, "names a column twice")
            for name in names:
                self._check_column(keys, name, list(columns))
            if not self.problems:
                yield Audience(
                    name=audience.name, meaning=audience.meaning, columns=tuple(columns[name] for name in names)
                )

    def _checks(self, columns: Iterable[Column]) -> Iterator[Check]:
        """Yield the checks, which read nothing private either."""
        found = {"user_id": SourceColumn(name="user_id", type="text")}
        found |= {c.name.lower(): SourceColumn(name=c.name, type=c.type) for c in columns}
        found[_AUDIENCE] = SourceColumn(name=_AUDIENCE, type="text")
        tables = Tables([*self._tables.values(), SourceTable(name=RESULT_TABLE, columns=found)])
        for check in self._header.checks:
            try:
                yield replace(check, failing_sql=self._count(check.failing_sql, tables))
            except RefusedQuery as refused:
                reason = re.sub(r" in line \d+$", "", refused.reason)
                self._note(("checks", check.name, "failing_sql"), f"the query {reason}")

    def _count(self, sql: str, tables: Tables) -> str:
        query = read_query(sql, parameters=self._parameters, tables=tables)
        with refusing_depth():
            known = read_public(query, tables)
            if len(known.selects) != 1:
                raise RefusedQuery(f"yields {len(known.selects)} columns: write one, the number of wrong rows")
            return public_sql(query, known, tables)

    def _check_read(self, queries: Iterable[str]) -> None:
        read = " ".join(queries)
        for parameter in self._header.parameters:
            if not re.search(rf"\${parameter.name}\b", read):
                self._note(
                    ("parameters", parameter.name), f"nothing reads it: write ${parameter.name}, or leave it out"
                )

    def _check_freshness(self, fresh: Freshness | None) -> None:
        if fresh is None:
            return
        table = self._source.get(fresh.table)
        if table is not None and (table.private or fresh.column in table.private_columns):
            self._note(("freshness",), f"{fresh.table}.{fresh.column} is private: name another column")
        try:
            fresh.check(self._source)
        except ValueError as error:
            self._note(("freshness",), str(error).removeprefix("freshness: "))

    def _refuse(self, reason: str) -> None:
        """Note what is wrong with the SELECT, at the line that the reason is about, or else the first one."""
        first = self._sql.count("\n", 0, len(self._sql) - len(self._sql.lstrip())) + 1
        line = max(first, line_of(reason, self._sql))
        self.problems.append(Problem(self._file.path, line, f"the SELECT {reason}"))

    def _note(self, keys: Keys, reason: str) -> None:
        self.problems.append(self._file.problem(keys, reason))


def _columns_of(select: CustomQuery) -> Iterator[Column]:
    """Yield the columns of an audience, `user_id` first."""
    yield Column(name="user_id", type="text", meaning="the user's id")
    yield from (replace(column, meaning=_MEANING) for column in select.columns if column.name != _AUDIENCE)


def _job_sql(select: CustomQuery, audience: str) -> str:
    """Return the SELECT of the job: with the name of its audience, and both it and ids as texts."""
    named = {column.name: f"q.{quoted(column.name)}" for column in select.columns}
    name = named.pop(_AUDIENCE, literal(audience))
    selected = [f"CAST({name} AS TEXT) AS audience", "CAST(q.user_id AS TEXT) AS user_id"]
    selected += [f"{expression} AS {quoted(name)}" for name, expression in named.items()]
    return f"""WITH tminus_found AS ({select.sql})
SELECT {", ".join(selected)} FROM tminus_found q WHERE q.user_id IS NOT NULL"""  # noqa: S608 (a checked, rewritten query, and quoted names)
