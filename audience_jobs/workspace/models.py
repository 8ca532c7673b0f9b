"""Models: SELECTs with a name, which queries, jobs, conditions and other models read like tables.

A model is one file, `models/NAME.sql`. A query that reads it gets it, and those that it reads in turn, as WITH
queries. A query that does not read it never runs it. Within its own file, the name of a model means the source table
of that name, so that `models/devices.sql` may read a table `devices`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from audience_jobs.errors import RefusedQuery
from audience_jobs.query import Query, generated, read_query
from audience_jobs.schema import Tables
from audience_jobs.typed_query import typed
from audience_jobs.workspace.toml_file import Problem

Columns = Mapping[str, str]
"""The columns of a table or a model, with their types in the words of the schema."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,50}")
_PREFIX = "model__"
"""Begins the names of the WITH queries that models become; nothing else has such a name."""
_Type = exp.DataType.Type
_TYPES = {
    **dict.fromkeys([_Type.TEXT, _Type.VARCHAR], "text"),
    **dict.fromkeys([_Type.INT, _Type.BIGINT], "integer"),
    **dict.fromkeys([_Type.DOUBLE, _Type.FLOAT, _Type.DECIMAL], "number"),
    _Type.BOOLEAN: "boolean",
    _Type.TIMESTAMP: "timestamp",
    _Type.DATE: "date",
}


class BadModels(Exception):
    """Models cannot be read; `problems` are all that was found, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that is known to be sound: its query, the models that this reads, and its columns with their types."""

    name: str
    file: Path
    query: Query
    models: frozenset[str]
    columns: Columns


class Models:
    """The models of a workspace, by name, each behind those that it reads."""

    def __init__(self, models: Mapping[str, Model], tables: Tables) -> None:
        self._models, self._tables = models, tables

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all models."""
        return tuple(self._models)

    def __getitem__(self, name: str) -> Model:
        return self._models[name]

    def read(self, sql: str, *, parameters: Collection[str]) -> Query:
        """Read a query over tables and models as one over tables alone; RefusedQuery as in `read_query`."""
        query = read_query(sql, parameters=parameters, tables=self._tables, more=self._models)
        return self.inlined(query, parameters=parameters)

    def inlined(self, query: Query, *, parameters: Collection[str]) -> Query:
        """Return a query over tables alone: each model that it reads, at any depth, becomes a WITH query of it."""
        needed = list(self._needed(query.tables))
        if not needed:
            return query
        tree = _renamed(query.tree(), query.tables & self._models.keys())
        before = [_cte(model, _renamed(model.query.tree(), model.models)) for model in needed]
        with_ = tree.args.get("with_") or exp.With(expressions=[])
        with_.set("expressions", [*before, *with_.expressions])
        tree.set("with_", with_)
        return read_query(generated(tree, "postgres"), parameters=parameters, tables=self._tables)

    def _needed(self, names: Collection[str]) -> Iterator[Model]:
        """Yield the models that are needed for tables and models, each behind those that it reads itself."""
        wanted = set(names)
        for name in reversed(list(self._models)):
            if name in wanted:
                wanted |= self._models[name].models
        yield from (model for name, model in self._models.items() if name in wanted)


def read_models(files: Sequence[Path], tables: Tables) -> Models:
    """Read the files of models over source tables; BadModels names every problem with its file and line.

    A model may read `$now`, the execution's time, and no other parameter.
    """
    reading = _Reading({file.stem: file for file in sorted(files)}, tables)
    models = reading.models()
    if reading.problems:
        raise BadModels(sorted(reading.problems))
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
            columns = self._columns(name, queries[name], models) if reads <= models.keys() else None
            if columns is not None:
                file = self._files[name]
                models[name] = Model(name=name, file=file, query=queries[name], models=reads, columns=columns)
        return models

    def _others(self, name: str) -> frozenset[str]:
        return frozenset(self._files) - {name}

    def _query(self, name: str) -> Query | None:
        if not _NAME.fullmatch(name) or name.startswith(_PREFIX):
            self._wrong(name, 1, "is not a name for a model: use small letters, digits and _, no digit first")
            return None
        try:
            sql = self._files[name].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._wrong(name, 1, f"cannot be read as UTF-8: {error}")
            return None
        try:
            query = read_query(sql, parameters=["now"], tables=self._tables, more=self._others(name))
            _check_reserved(query)
        except RefusedQuery as refused:
            self._wrong(name, line_of(refused.reason, sql), f"the model {refused.reason}")
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
            self._wrong(cycle[0], 1, f"the model reads itself: {' reads '.join(cycle)}; take the cycle apart")

    def _columns(self, name: str, query: Query, models: Mapping[str, Model]) -> Columns | None:
        try:
            _check_names(query)
            others = {other: models[other].columns for other in self._others(name) & models.keys()}
            return dict(_typed_columns(typed(query.tree(), self._tables, others)))
        except RefusedQuery as refused:
            sql = self._files[name].read_text(encoding="utf-8")
            self._wrong(name, line_of(refused.reason, sql), f"the model {refused.reason}")
            return None

    def _wrong(self, name: str, line: int, reason: str) -> None:
        self.problems.append(Problem(self._files[name], line, reason))


def _cycle(rest: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the names along a cycle, the first one again at the end; every model reads another one of them."""
    path = [min(rest)]
    while (following := min(rest[path[-1]] & rest.keys())) not in path:
        path.append(following)
    return [*path[path.index(following) :], following]


def _check_reserved(query: Query) -> None:
    for name in query.tree().find_all(exp.Identifier):
        if name.name.lower().startswith(_PREFIX):
            raise RefusedQuery(f"uses the name {name.name}: names that begin with {_PREFIX} are reserved")


def _check_names(query: Query) -> None:
    for selected in query.tree().selects:
        if not isinstance(selected, (exp.Alias, exp.Column)) and not selected.is_star:
            raise RefusedQuery(f"yields {selected.sql('postgres')} without a name: add AS and a name")


def _renamed(tree: exp.Query, models: Collection[str]) -> exp.Query:
    """Let a query read the WITH queries of models; it goes on calling them as before."""
    for table in list(tree.find_all(exp.Table)):
        name = table.name.lower()
        if name in models:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
            table.set("this", exp.to_identifier(_PREFIX + name))
    return tree


def _cte(model: Model, tree: exp.Query) -> exp.CTE:
    return exp.CTE(this=tree, alias=exp.TableAlias(this=exp.to_identifier(_PREFIX + model.name)))


def _typed_columns(known: exp.Query) -> Iterator[tuple[str, str]]:
    """Yield the columns of a query with their types; RefusedQuery where one has none, or comes twice."""
    names: set[str] = set()
    for selected in known.selects:
        name, type_ = selected.alias_or_name, selected.type
        if name.lower() in names:
            raise RefusedQuery(f"yields the column {name} twice: engines do not distinguish capitals")
        names.add(name.lower())
        if type_ is None or (said := _said(type_)) is None:
            raise RefusedQuery(f"does not show the type of {name}: cast it, as in CAST(... AS TEXT) AS {name}")
        yield name, said


def _said(type_: exp.DataType) -> str | None:
    if type_.this == _Type.ARRAY:
        inner = type_.expressions[0] if type_.expressions else None
        return "text[]" if isinstance(inner, exp.DataType) and _TYPES.get(inner.this) == "text" else None
    return _TYPES.get(type_.this)


def line_of(reason: str, sql: str) -> int:
    """Return the line of a query that a refusal is about: the one that it names, or where what it names stands."""
    if found := re.search(r"in line (\d+)", reason):
        return int(found[1])
    named = re.search(r"'(\w+)'|(?:names?|column|table|calls|reads|type of) \$?(\w+)", reason)
    word = (named[1] or named[2]) if named else ""
    lines = (number for number, line in enumerate(sql.splitlines(), start=1) if re.search(rf"\b{word}\b", line))
    return next(lines, 1) if word else 1
