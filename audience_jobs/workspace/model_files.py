"""Reads the files of models, and checks them: each on its own, and what they read of each other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sqlglot import exp

from audience_jobs.errors import BadWorkspace, RefusedQuery
from audience_jobs.private_data import read_private
from audience_jobs.private_lineage import private_outputs
from audience_jobs.query import Query, read_query
from audience_jobs.schema import DEVICES, Tables
from audience_jobs.workspace.model_columns import check_meaning, typed_columns
from audience_jobs.workspace.models import PEOPLE, PREFIX, Model, Models, check_reserved
from audience_jobs.workspace.toml_file import NOT_UTF_8, Problem

REQUIRED = {
    PEOPLE: "one SELECT with user_id, one row for each user who may be sent to, and what is known of them",
    DEVICES: "one SELECT with user_id, token or fid, platform and updated_at",
}
"""The models that a folder of models has to have, and what to write."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,50}")
_OURS = re.compile(r"tminus_.*|job_rows")


def models_in(folder: Path, tables: Tables | None) -> Models:
    """Return the models in a folder; BadWorkspace with all that is wrong there, and with what is missing.

    Where the tables are not known, it only finds what is missing.
    """
    files = sorted(folder.glob("*.sql"))
    there = {file.stem for file in files}
    problems = [
        str(Problem(folder / f"{name}.sql", 1, f"there is no such file: write {what}"))
        for name, what in REQUIRED.items()
        if name not in there
    ]
    try:
        models = read_models(files if tables is not None else [], tables or Tables([]))
    except BadWorkspace as error:
        problems += error.problems
    if problems:
        raise BadWorkspace(problems)
    return models


def read_models(files: Sequence[Path], tables: Tables) -> Models:
    """Read the files of models over source tables; BadWorkspace names every problem with its file and line.

    A model may read `$now`, the execution's time, and no other parameter.
    """
    reading = _Reading({file.stem: file for file in sorted(files)}, tables)
    models = reading.models()
    if reading.problems:
        raise BadWorkspace(map(str, sorted(reading.problems)))
    return Models(models, tables)


class _Reading:
    """Reads the files of models; `problems` are what is wrong with them."""

    def __init__(self, files: Mapping[str, Path], tables: Tables) -> None:
        self._files, self._tables = files, tables
        self.problems: list[Problem] = []

    def models(self) -> Mapping[str, Model]:
        """Return the models, each behind those that it reads; without those that have a problem, or read one."""
        queries = {name: query for name in self._files if (query := self._query(name)) is not None}
        models: dict[str, Model] = {}
        for name in self._in_order({name: query.tables & self._others(name) for name, query in queries.items()}):
            reads = queries[name].tables & self._others(name)
            if reads <= models.keys() and (model := self._model(name, queries[name], reads, models)):
                models[name] = model
        return models

    def _others(self, name: str) -> frozenset[str]:
        return frozenset(self._files) - {name}

    def _query(self, name: str) -> Query | None:
        if not _NAME.fullmatch(name) or name.startswith(PREFIX) or _OURS.fullmatch(name):
            self._wrong(name, 1, "is not a name for a model: use small letters, digits and _, no digit first")
            return None
        try:
            sql = self._files[name].read_text(encoding="utf-8-sig")
        except OSError as error:
            self._wrong(name, 1, f"cannot be read: {error.strerror}")
            return None
        except UnicodeDecodeError:
            self._wrong(name, 1, NOT_UTF_8)
            return None
        try:
            query = read_query(sql, parameters=["now"], tables=self._tables, more=self._others(name))
            check_reserved(query)
            if name != DEVICES and DEVICES in query.tables:
                raise RefusedQuery("reads devices, which is private: only models/devices.sql reads device tokens")
        except RefusedQuery as refused:
            itself = refused.reason.startswith(f"reads {name!r}, ")
            reason = "reads itself: read a source table, or another model" if itself else refused.reason
            self._wrong(name, line_of(refused.reason, sql), f"the model {reason}")
            return None
        return query

    def _in_order(self, reads: Mapping[str, frozenset[str]]) -> Iterator[str]:
        """Yield the models, each behind those that it reads; those of a cycle are a problem."""
        rest = {name: read & reads.keys() for name, read in reads.items()}
        while ready := sorted(name for name, read in rest.items() if not read & rest.keys()):
            yield from ready
            rest = {name: read for name, read in rest.items() if name not in ready}
        if rest:
            cycle = _cycle(rest)
            self._wrong(cycle[0], 1, f"the model reads itself: {' reads '.join(cycle)}; break the cycle")

    def _model(self, name: str, query: Query, reads: frozenset[str], models: Mapping[str, Model]) -> Model | None:
        try:
            _check_names(query)
            readable = Tables([*self._tables.values(), *(models[other].as_table(self._tables) for other in reads)])
            known = read_private(query, readable)
            columns = dict(typed_columns(known))
            private, file = private_outputs(known, readable), self._files[name]
            model = Model(name=name, file=file, query=query, models=reads, columns=columns, private=private)
            check_meaning(model, models)
        except RefusedQuery as refused:
            sql = self._files[name].read_text(encoding="utf-8-sig")
            self._wrong(name, line_of(refused.reason, sql), f"the model {refused.reason}")
            return None
        return model

    def _wrong(self, name: str, line: int, reason: str) -> None:
        self.problems.append(Problem(self._files[name], line, reason))


def _cycle(rest: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the names along a cycle, the first one again at the end; every model reads another one of them."""
    path = [min(rest)]
    while (following := min(rest[path[-1]] & rest.keys())) not in path:
        path.append(following)
    return [*path[path.index(following) :], following]


def _check_names(query: Query) -> None:
    for selected in query.tree().selects:
        if not isinstance(selected, (exp.Alias, exp.Column)) and not selected.is_star:
            raise RefusedQuery(f"yields {selected.sql('postgres')} without a name: add AS and a name")


def line_of(reason: str, sql: str) -> int:
    """Return the line of a query that a refusal is about: the one that it names, or where what it names stands."""
    if found := re.search(r"in line (\d+)", reason):
        return int(found[1])
    named = re.search(r"'(\w+)'|(?:names?|column|table|calls|reads|type of) \$?(\w+)", reason)
    word = (named[1] or named[2]) if named else ""
    lines = (number for number, line in enumerate(sql.splitlines(), start=1) if re.search(rf"\b{word}\b", line))
    return next(lines, 1) if word else 1
