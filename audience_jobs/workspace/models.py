"""Models: SELECTs with a name, which queries, jobs, conditions and other models read like tables.

A model is one file, `models/NAME.sql`. A query that reads it gets it, and those that it reads in turn, as WITH
queries. A query that does not read it never runs it. Within its own file, the name of a model means the source table
of that name, so that `models/users.sql` may read a table `users`. Elsewhere it means the model.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlglot import exp

from audience_jobs.errors import RefusedQuery
from audience_jobs.query import Query, generated, read_query
from audience_jobs.schema import DEVICES, ColumnType, SourceColumn, SourceTable, Tables
from audience_jobs.sql import literal

PEOPLE = "people"
"""The model of the users who may be sent to."""
OPT_OUTS = "opt_outs"
"""The model of users who want no pushes, or none of a topic."""
PREFIX = "model__"
"""Begins the names of the WITH queries that models become; nothing else has such a name."""
_ONLY_SENDING = "reads devices, which is private: only sending reads device tokens"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that is known to be sound: its query, the models that this reads, and its columns with their types.

    `private` are the columns that carry private data.
    """

    name: str
    file: Path
    query: Query
    models: frozenset[str]
    columns: Mapping[str, ColumnType]
    private: frozenset[str] = frozenset()

    @cached_property
    def public(self) -> Mapping[str, ColumnType]:
        """The columns that every query may read."""
        return {name: type_ for name, type_ in self.columns.items() if name not in self.private}

    @property
    def is_events(self) -> bool:
        """Whether its rows are events: what happened to a user, and when."""
        about_users = self.name not in (PEOPLE, DEVICES, OPT_OUTS)
        return about_users and self.has_users and self.public.get("at") == "timestamp"

    @property
    def has_users(self) -> bool:
        """Whether its rows say of which user they are."""
        return "user_id" in self.public

    def as_table(self, tables: Tables) -> SourceTable:
        """Return the model as a table that queries read; it may hide one of the source tables."""
        hides = tables.get(self.name)
        columns = {
            name: SourceColumn(name=name, type=type_, private=name in self.private)
            for name, type_ in self.columns.items()
        }
        hidden = frozenset(hides.columns if hides else ())
        return SourceTable(name=self.name, columns=columns, private=self.name == DEVICES, hidden=hidden)


class Models(Mapping[str, Model]):
    """The models of a workspace, by name, each behind those that it reads; `tables` are the source tables."""

    def __init__(self, models: Mapping[str, Model], tables: Tables) -> None:
        self._models, self.tables = models, tables

    def __getitem__(self, name: str) -> Model:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    @cached_property
    def readable(self) -> Tables:
        """What a query finds: the source tables, and the models, which come first where both have a name."""
        return Tables([*self.tables.values(), *(model.as_table(self.tables) for model in self.values())])

    def read(self, sql: str, *, parameters: Collection[str], more: Collection[str] = ()) -> Query:
        """Read a query over tables and models as one over tables alone; RefusedQuery as in `read_query`.

        No query reads `devices`, except jobs of a workspace without models, as they did before there were models.
        """
        query = read_query(sql, parameters=parameters, tables=self.tables, more=[*self._models, *more])
        if self._models:
            if DEVICES in query.tables:
                raise RefusedQuery(_ONLY_SENDING)
            check_reserved(query)
        return self._inlined(query, parameters, more)

    def devices(self) -> Query:
        """Return the query of `user_id`, `token`, `platform`, `updated_at`, `fid` and `notifications` for sending.

        Where a row has no token, its Firebase installation ID is the `token`, and `fid` is 1.
        """
        columns = self[DEVICES].columns
        token, is_fid = "token", "''"
        if "token" not in columns:
            token, is_fid = "fid", "'1'"
        elif "fid" in columns:
            lacking = "coalesce(trim(token), '') = ''"
            token = f"CASE WHEN {lacking} THEN fid ELSE token END"
            is_fid = f"CASE WHEN {lacking} THEN '1' ELSE '' END"
        on = "coalesce(notifications, TRUE)" if "notifications" in columns else "TRUE"
        read = f"user_id, {token} AS token, platform, updated_at, {is_fid} AS fid, {on} AS notifications"
        sql = f"SELECT {read} FROM {DEVICES}"  # noqa: S608 (made of constants)
        return self._inlined(read_query(sql, parameters=[], tables=self.tables, more=self._models), [], [])

    def opt_outs(self, topic: str) -> Query:
        """Return the query of the users who want no pushes at all, or none of a topic; empty is no topic."""
        about = "TRUE"
        if "topic" in self[OPT_OUTS].columns:
            about = f"coalesce(topic, '') IN ('', {literal(topic)})"
        sql = f"SELECT user_id FROM {OPT_OUTS} WHERE user_id IS NOT NULL AND {about}"  # noqa: S608 (quoted)
        return self._inlined(read_query(sql, parameters=[], tables=self.tables, more=self._models), [], [])

    @property
    def have_locales(self) -> bool:
        """Whether they say in which language people read."""
        return PEOPLE in self and "locale" in self[PEOPLE].public

    def locales(self) -> Query:
        """Return the query of `user_id` and `locale` of the people whose locale is known."""
        sql = f"SELECT user_id, locale FROM {PEOPLE} WHERE user_id IS NOT NULL AND locale IS NOT NULL"  # noqa: S608 (made of constants)
        return self._inlined(read_query(sql, parameters=[], tables=self.tables, more=self._models), [], [])

    def _inlined(self, query: Query, parameters: Collection[str], more: Collection[str]) -> Query:
        """Return a query over tables alone: each model that it reads, at any depth, becomes a WITH query of it."""
        needed = list(self._needed(query.tables))
        if not needed:
            return query
        tree = _renamed(query.tree(), query.tables & self._models.keys())
        before = [_cte(model, _renamed(model.query.tree(), model.models)) for model in needed]
        with_ = tree.args.get("with_") or exp.With(expressions=[])
        with_.set("expressions", [*before, *with_.expressions])
        tree.set("with_", with_)
        return read_query(generated(tree, "postgres"), parameters=parameters, tables=self.tables, more=more)

    def _needed(self, names: Collection[str]) -> Iterator[Model]:
        """Yield the models that are needed for tables and models, each behind those that it reads itself."""
        wanted = set(names)
        for name in reversed(list(self._models)):
            if name in wanted:
                wanted |= self._models[name].models
        yield from (model for name, model in self._models.items() if name in wanted)


def check_reserved(query: Query) -> None:
    """Raise RefusedQuery where a query uses a name that the WITH queries of models have."""
    for name in query.tree().find_all(exp.Identifier):
        if name.name.lower().startswith(PREFIX):
            raise RefusedQuery(f"uses the name {name.name}: names that begin with {PREFIX} are reserved")


def _renamed(tree: exp.Query, models: Collection[str]) -> exp.Query:
    """Let a query read the WITH queries of models; it goes on calling them as before."""
    for table in list(tree.find_all(exp.Table)):
        name = table.name.lower()
        if name in models:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            table.set("this", exp.to_identifier(PREFIX + name))
    return tree


def _cte(model: Model, tree: exp.Query) -> exp.CTE:
    return exp.CTE(this=tree, alias=exp.TableAlias(this=exp.to_identifier(PREFIX + model.name)))
