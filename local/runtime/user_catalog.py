"""What the source of user data holds, whatever kind of source the settings name."""

from audience_jobs.schema import Tables
from audience_jobs.workspace.catalog import Catalog, Progress
from functions.domain.errors import Misconfigured
from functions.settings import Settings


def read_catalog(settings: Settings, known: Tables, progress: Progress) -> Catalog:
    """Return what the source holds; `known` is what tables.toml says. Calls `progress` with each table's name.

    Raises what prevents looking at it, as the engines do.
    """
    if database := settings.user_database:
        if not database.url:
            raise Misconfigured(database.variable, "must be set: it has the address of the user database")
        from audience_jobs.engines.postgres_catalog import postgres_catalog  # noqa: PLC0415 - psycopg

        seconds = settings.user_data_timeout.total_seconds()
        return postgres_catalog(database.url, known, progress, schema=database.schema, timeout_seconds=seconds)
    if dataset := settings.user_dataset:
        from audience_jobs.engines.bigquery_catalog import bigquery_catalog, open_client  # noqa: PLC0415 - Google

        return bigquery_catalog(open_client(dataset.project), dataset.dataset, known, progress)
    from audience_jobs.engines.folder_catalog import folder_catalog  # noqa: PLC0415 - DuckDB

    return folder_catalog(settings.user_data_dir, known, progress)
