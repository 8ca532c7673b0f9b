"""The tables of a BigQuery dataset, read as the source tables of the schema."""

from collections.abc import Iterable, Mapping

import sqlglot
from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.bigquery import Client
from google.cloud.bigquery.retry import DEFAULT_RETRY
from sqlglot import exp

from audience_jobs.engines.needs import Needs
from audience_jobs.errors import MissingInDataset, NoDataset
from audience_jobs.schema import CAST_FROM_TEXTS, ColumnType, Tables
from audience_jobs.sql import canonical, finite, quoted

_FIRST = DEFAULT_RETRY.with_timeout(20)
"""How long the first request is repeated. It is short because a person may be waiting without a network."""
_TEXTS = ("STRING", "VARCHAR")


class BigQueryTables:
    """The tables of a dataset (`project.dataset`), looked up when they are needed.

    `needs` are those that were provided last.
    """

    def __init__(self, client: Client, dataset: str, tables: Tables) -> None:
        self._client, self._dataset, self._tables = client, dataset, tables
        self._found: dict[str, Mapping[str, str] | None] = {}
        self.needs: Needs | None = None

    def location(self) -> str:
        """Return the dataset's location, where its queries have to run. Raises NoDataset."""
        try:
            return str(self._client.get_dataset(self._dataset, retry=_FIRST).location)
        except (NotFound, Forbidden) as error:
            raise NoDataset(self._dataset) from error

    def provide(self, needs: Needs) -> None:
        """Raise MissingInDataset if a table or a column that the job needs is missing or not readable."""
        self.needs = needs
        for table in needs.mentioned:
            found = self._columns(table)
            if found is not None:
                lacking = [name for name, c in self._tables[table].columns.items() if c.name not in found]
                self.require(table, [column for column in lacking if needs.column(table, column)])
            elif needs.table(table):
                self.require(table, ())

    def require(self, table: str, columns: Iterable[str]) -> None:
        """Raise MissingInDataset if the table or one of the columns is missing or not readable."""
        found, known = self._columns(table), self._tables[table]
        names = [known.columns[column].name for column in columns]
        lacking = [""] if found is None else [f".{name}" for name in names if name not in found]
        for column in lacking:
            raise MissingInDataset(f"{known.name}{column}", self._dataset)

    def added_to(self, said: exp.Query) -> exp.Query:
        """Return a query in GoogleSQL with a leading WITH query for each source table that it reads."""
        names = {table.name for table in said.find_all(exp.Table) if not table.db}
        before = [exp.CTE(this=self._reading(name), alias=_alias(name)) for name in self._tables if name in names]
        own = said.args.get("with_")
        if before:
            said.set("with_", exp.With(expressions=[*before, *(own.expressions if own else [])]))
        return said

    def _columns(self, table: str) -> Mapping[str, str] | None:
        if table not in self._found:
            try:
                fields = self._client.get_table(f"{self._dataset}.{self._tables[table].name}").schema
                self._found[table] = {
                    field.name: f"{field.field_type}{'[]' if field.mode == 'REPEATED' else ''}" for field in fields
                }
            except (NotFound, Forbidden):
                self._found[table] = None
        return self._found[table]

    def _reading(self, table: str) -> exp.Select:
        found = self._columns(table) or {}
        readings = [
            exp.alias_(_read(column.name, found[column.name], column.type), name)
            for name, column in self._tables[table].columns.items()
            if column.name in found
        ]
        *project, dataset = self._dataset.split(".")
        source = exp.table_(self._tables[table].name, db=dataset, catalog=".".join(project), quoted=True)
        return exp.select(*(readings or [exp.alias_(exp.Literal.number(1), "nothing")])).from_(source)


def _read(column: str, found: str, wanted: ColumnType) -> exp.Expr:
    """Return the expression that reads a column as the schema's type; an empty text is NULL, as in files."""
    text = f"nullif(CAST({quoted(column)} AS TEXT), '')"
    casts = found in _TEXTS and wanted in CAST_FROM_TEXTS
    raw = sqlglot.parse_one(text, read="postgres") if casts else exp.column(column)
    if wanted == "timestamp":
        return _instant(raw, found)
    if wanted == "date":
        return _day(raw, text, found)
    if wanted == "text[]":
        return _list(column, found)
    if wanted == "json":
        return raw
    if wanted in ("integer", "boolean"):
        return exp.Cast(this=raw, to=exp.DataType.build("bigint" if wanted == "integer" else "boolean"))
    if wanted == "number":
        text = finite(f"CAST({text if found in _TEXTS else quoted(column)} AS DOUBLE PRECISION)")
    return sqlglot.parse_one(canonical(text) if wanted == "id" and found in _TEXTS else text, read="postgres")


def _instant(raw: exp.Expr, found: str) -> exp.Expr:
    if found == "TIMESTAMP" or found in _TEXTS:
        instant = raw if found == "TIMESTAMP" else exp.Cast(this=raw, to=exp.DataType.build("timestamptz"))
        # A project can have its own time zone, so UTC has to be explicit.
        return exp.Anonymous(this="DATETIME", expressions=[instant, exp.Literal.string("UTC")])
    return exp.Cast(this=raw, to=exp.DataType.build("timestamp"))


def _day(raw: exp.Expr, text: str, found: str) -> exp.Expr:
    if found == "TIMESTAMP":
        return exp.Anonymous(this="DATE", expressions=[raw, exp.Literal.string("UTC")])
    day = sqlglot.parse_one(text, read="postgres") if found in _TEXTS else raw
    return exp.Cast(this=day, to=exp.DataType.build("date"))


def _list(column: str, found: str) -> exp.Expr:
    """Read a repeated column, or a list in JSON; one without elements is NULL."""
    cast = f"ARRAY(SELECT CAST(e AS STRING) FROM UNNEST(`{column}`) AS e)"  # noqa: S608 (a checked name)
    own = f"`{column}`" if found == "STRING[]" else cast
    written = f"NULLIF(`{column}`, '')" if found in _TEXTS else f"`{column}`"
    texts = own if found.endswith("[]") else f"JSON_VALUE_ARRAY({written})"
    return sqlglot.parse_one(f"CASE WHEN ARRAY_LENGTH({texts}) > 0 THEN {texts} END", read="bigquery")


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))
