"""What tests of audience jobs say to the marketplace, with its tables filled in."""

from functools import partial

from audience_jobs import criteria, query, query_based, registry
from audience_jobs.engines import duckdb, postgres
from audience_jobs.workspace import marketplace

MARKETPLACE = marketplace()
SOURCE_TABLES = {name: dict(table.types) for name, table in MARKETPLACE.tables.items()}
FILTERS = (*MARKETPLACE.filters, "manualUserIds")

DuckDBEngine = partial(duckdb.DuckDBEngine, workspace=MARKETPLACE)
PostgresEngine = partial(postgres.PostgresEngine, workspace=MARKETPLACE)
read_query = partial(query.read_query, tables=MARKETPLACE.tables)
read_criteria = partial(criteria.read_criteria, workspace=MARKETPLACE)
all_jobs = partial(registry.all_jobs, MARKETPLACE)
find = partial(registry.find, workspace=MARKETPLACE)
job_of = partial(query_based.job_of, workspace=MARKETPLACE)
