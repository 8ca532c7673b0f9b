"""Looks at a dataset of BigQuery: which tables and columns it has. No query is billed."""

from collections.abc import Mapping, Sequence

from google.api_core.exceptions import BadRequest, Forbidden, NotFound
from google.cloud.bigquery import Client, SchemaField
from google.cloud.bigquery.table import Table

from audience_jobs.engines.google_access import google_access
from audience_jobs.errors import NoDataset
from audience_jobs.schema import ColumnType, Tables
from audience_jobs.workspace.catalog import Catalog, Finding, FoundColumn, Progress, rows_to_sample
from audience_jobs.workspace.guess import Sample

_DECLARED: Mapping[str, ColumnType] = {
    **dict.fromkeys(["INTEGER", "INT64"], "integer"),
    **dict.fromkeys(["FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC"], "number"),
    **dict.fromkeys(["BOOLEAN", "BOOL"], "boolean"),
    **dict.fromkeys(["TIMESTAMP", "DATETIME"], "timestamp"),
    "DATE": "date",
    "JSON": "json",
}
_TEXTS = ("STRING", "TIME")


def bigquery_catalog(client: Client, dataset: str, known: Tables, progress: Progress) -> Catalog:
    """Return what a dataset (`project.dataset`) holds; `known` is what tables.toml says about it.

    Raises NoDataset, NoCredentials and Unavailable. Values are looked at in tables, not in views, which would cost.
    """
    finding = Finding(known=known)
    with google_access():
        try:
            names = [table.table_id for table in client.list_tables(dataset)]
        except (NotFound, Forbidden) as error:
            raise NoDataset(dataset) from error
        for name in finding.usable_tables(names):
            progress(name)
            finding.add(name, _columns(client, client.get_table(f"{dataset}.{name}"), name, finding))
    return finding.catalog(dataset)


def open_client(project: str) -> Client:
    """Return a client that acts as this machine's account; NoCredentials without one."""
    with google_access():
        return Client(project)


def _columns(client: Client, table: Table, name: str, finding: Finding) -> Sequence[FoundColumn]:
    fields = {field.name: field for field in table.schema if not _unreadable(name, field, finding)}
    names = finding.usable_columns(name, list(fields))
    samples = _samples(client, table, [fields[column] for column in names])
    found = (Sample(name=each, values=samples.get(each, ()), declared=_declared(fields[each])) for each in names)
    return [finding.column(name, sample) for sample in found]


def _unreadable(table: str, field: SchemaField, finding: Finding) -> bool:
    """Whether a column has a type that has no counterpart; if so, says it."""
    repeated = field.mode == "REPEATED"
    readable = field.field_type == "STRING" if repeated else field.field_type in (*_DECLARED, *_TEXTS)
    if not readable:
        type_ = f"{field.field_type}, repeated" if repeated else field.field_type
        finding.leave_out_column(field.name, table, f"is {type_}: read it through a view, as JSON")
    return not readable


def _declared(field: SchemaField) -> ColumnType | None:
    return "text[]" if field.mode == "REPEATED" else _DECLARED.get(field.field_type)


def _samples(client: Client, table: Table, fields: Sequence[SchemaField]) -> Mapping[str, Sequence[str | None]]:
    if table.table_type != "TABLE" or not fields:
        return {}
    try:
        rows = list(client.list_rows(table, selected_fields=fields, max_results=rows_to_sample(len(fields))))
    except (BadRequest, Forbidden, NotFound):
        return {}
    return {field.name: [_text(row[field.name]) for row in rows] for field in fields}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
