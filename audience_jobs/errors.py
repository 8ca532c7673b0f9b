"""Errors of audience jobs and their CSV files.

Every message is one line for marketers that names the thing, its value and the way out. Retrying never fixes an
AudienceJobError: the recipe, the job or the data has to change.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches


class AudienceJobError(Exception):
    """An audience cannot be built until a person changes something; the message says what."""


class Unavailable(Exception):
    """The user data, or the memory and disk to work on them, cannot be fetched now; trying again may help.

    The message says what is missing, and contains nothing of the data.
    """


class Busy(Unavailable):
    """Another audience job takes the memory of this process, and did not end within `waited_seconds`."""

    def __init__(self, waited_seconds: float) -> None:
        self.waited_seconds = waited_seconds
        super().__init__(
            f"another audience job is running here, and has not ended within {waited_seconds:g} s: try again soon"
        )


class NoFolder(Unavailable):
    """The folder of user data does not exist now: a disk may not be mounted, or an export may be running."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        super().__init__(
            f"the user data folder {folder} does not exist: put it back, or make one with a CSV or Parquet file a "
            "table, named after it (users.csv, orders.parquet)"
        )


class NoAccess(AudienceJobError):
    """Google refuses the account of this process. A new permission takes minutes to spread."""


class UnknownJob(AudienceJobError):
    """A recipe names a job that does not exist."""

    def __init__(self, job_id: str, known: Iterable[str]) -> None:
        self.job_id, self.known = job_id, tuple(known)
        super().__init__(f"unknown audience job {job_id!r}{choices(job_id, self.known)}")


class UnknownAudience(AudienceJobError):
    """A push names an audience that its job does not declare."""

    def __init__(self, job_id: str, audience: str, known: Iterable[str]) -> None:
        self.job_id, self.audience, self.known = job_id, audience, tuple(known)
        super().__init__(f"{job_id} has no audience {audience!r}{choices(audience, self.known)}")


class BadParameter(AudienceJobError):
    """A recipe has a parameter that the job does not declare, or an invalid value."""

    def __init__(self, job_id: str, parameter: str, reason: str) -> None:
        self.job_id, self.parameter, self.reason = job_id, parameter, reason
        super().__init__(f"{job_id}: parameter {parameter!r} {reason}")


class BadCriteria(AudienceJobError):
    """A recipe's `audienceCriteria` are invalid.

    `errors` holds (field, reason) for each field at fault, the field as in `filters.minLifetimeTrades`.
    """

    def __init__(self, errors: Iterable[tuple[str, str]]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in self.errors))


class BadJob(AudienceJobError):
    """A job's own code is wrong: it does not load, or its result differs from its declaration.

    `job` is the id of the job or, where that is not known yet, the file.
    """

    def __init__(self, job: str, reason: str) -> None:
        self.job, self.reason = job, reason
        super().__init__(f"audience job {job}: {reason}")


class RefusedQuery(AudienceJobError):
    """A query is not a single SELECT that only reads the product's tables; `reason` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the query {reason}")


class BadWorkspace(AudienceJobError):
    """The files of a workspace are missing or wrong; each of `problems` is one line with file, line and way out."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class LackingTables(AudienceJobError):
    """A workspace lacks tables, or columns (`table.column (type)`), that Tminus itself reads for `what`."""

    def __init__(self, what: str, lacking: Iterable[str]) -> None:
        self.what, self.lacking = what, tuple(lacking)
        super().__init__(
            f"{what} needs {', '.join(self.lacking)}, and tables.toml of the workspace has no such column"
        )


class CheckFailed(AudienceJobError):
    """A job's result breaks one of the job's own rules, `count` times. No audience was written."""

    def __init__(self, job_id: str, check: str, count: int, meaning: str) -> None:
        self.job_id, self.check, self.count, self.meaning = job_id, check, count, meaning
        super().__init__(f"{job_id}: {meaning} (check {check!r}: {count}). No audience was written.")


class StaleData(AudienceJobError):
    """The newest row of user data is older than the job allows: an export has stopped."""

    def __init__(self, job_id: str, column: str, newest: datetime, hours: int) -> None:
        self.job_id, self.column, self.newest, self.hours = job_id, column, newest, hours
        super().__init__(
            f"{job_id}: the newest {column} is {newest:%Y-%m-%d %H:%M} UTC, more than {hours} hours ago: "
            "is the export of user data still running? No audience was written."
        )


class TooSlow(AudienceJobError):
    """A job took longer than the allowed `seconds`. Nothing was written."""

    def __init__(self, job_id: str, seconds: float) -> None:
        self.job_id, self.seconds = job_id, seconds
        super().__init__(
            f"{job_id} was stopped after {seconds:g} s: make its SQL read less, or raise USER_DATA_TIMEOUT_SECONDS"
        )


class NoUserData(AudienceJobError):
    """The folder of user data holds no known table, or its bucket cannot be read; `state` says which."""

    def __init__(self, folder: str, state: str = "has no table in it") -> None:
        self.folder = folder
        super().__init__(
            f"the user data folder {folder} {state}: put one CSV or Parquet file a table there, "
            "named after it (users.csv, orders.parquet)"
        )


class NoTables(AudienceJobError):
    """A schema of the user database does not exist, or has no table that the role can read."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        super().__init__(
            f"the schema {schema!r} of the user database does not exist, or has no table that the role can read: "
            "name another schema, or grant the role USAGE on it and SELECT on its tables"
        )


class ClosedFolder(NoUserData, NoAccess):
    """The bucket of user data does not let this process read it."""

    def __init__(self, folder: str) -> None:
        account = "grant the account of this process roles/storage.objectViewer on the bucket, then"
        super().__init__(folder, f"cannot be read: {account}")


class MissingTable(AudienceJobError):
    """A job reads a table that the folder of user data lacks."""

    def __init__(self, table: str, folder: str) -> None:
        self.table, self.folder = table, folder
        super().__init__(f"table {table!r} is missing: add {table}.csv or {table}.parquet to {folder}")


class MissingInDatabase(AudienceJobError):
    """A job reads a table or a column (`table.column`) that the user database lacks or does not let it read."""

    def __init__(self, name: str, schema: str) -> None:
        self.name, self.schema = name, schema
        super().__init__(
            f"{name!r} is missing in the schema {schema!r} of the user database, or cannot be read: "
            "create it, or grant SELECT on it to the role of USER_DATABASE_URL"
        )


class NoDataset(NoAccess):
    """The BigQuery dataset of user data does not exist, or cannot be read."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        super().__init__(
            f"the BigQuery dataset {dataset!r} does not exist or cannot be read: set USER_DATASET to "
            "project.dataset, and grant roles/bigquery.dataViewer on it to the account that builds audiences"
        )


class MissingInDataset(AudienceJobError):
    """A job reads a table or a column (`table.column`) that the BigQuery dataset lacks or does not let it read."""

    def __init__(self, name: str, dataset: str) -> None:
        self.name, self.dataset = name, dataset
        super().__init__(
            f"{name!r} is missing in the dataset {dataset!r} of USER_DATASET, or cannot be read: create it, or "
            "grant roles/bigquery.dataViewer on the dataset to the account that builds audiences"
        )


class NoCredentials(AudienceJobError):
    """Google Cloud holds the user data, and accepts no credentials of this machine; `reason` is what Google says."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"no Google credentials work here ({reason}): run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account"
        )


class NotAllowed(NoAccess):
    """BigQuery or Cloud Storage refuses the account that builds audiences; `reason` is what they say."""

    def __init__(self, job_id: str, reason: str) -> None:
        self.job_id, self.reason = job_id, reason
        super().__init__(
            f"{job_id}: Google Cloud does not allow it: {reason}. The account that builds audiences needs "
            "roles/bigquery.jobUser on the project, roles/bigquery.dataViewer on the dataset of USER_DATASET and "
            "roles/storage.objectUser on exports/ of AUDIENCE_BUCKET"
        )


class NotExported(NoAccess):
    """What a job found cannot leave BigQuery by the bucket; `reason` is what Google says."""

    def __init__(self, job_id: str, uri: str, reason: str) -> None:
        self.job_id, self.uri, self.reason = job_id, uri, reason
        super().__init__(
            f"{job_id}: what it found cannot be exported to {uri}: {reason}. AUDIENCE_BUCKET has to be where the "
            "dataset is, and the account that builds audiences needs roles/storage.objectUser on exports/ of it"
        )


class TooCostly(AudienceJobError):
    """BigQuery would read more than a query may: `needed` bytes, where that is known, instead of `allowed`."""

    def __init__(self, job_id: str, allowed: int, needed: int | None) -> None:
        self.job_id, self.allowed, self.needed = job_id, allowed, needed
        reads = "more" if needed is None else f"{needed / 2**30:,.2f} GiB, more"
        super().__init__(
            f"{job_id} would read {reads} than the {allowed / 2**30:,.2f} GiB that a query may: make its SQL read "
            "less, or raise USER_DATASET_MAX_GIB_BILLED"
        )


class MissingColumn(AudienceJobError):
    """A job reads a column that a file of user data lacks."""

    def __init__(self, file: str, column: str, found: Iterable[str]) -> None:
        self.file, self.column, self.found = file, column, tuple(found)
        super().__init__(f"{file} lacks the column {column!r}; it has {', '.join(self.found) or 'none'}")


class BadData(AudienceJobError):
    """A file of user data is malformed; `reason` says where and why."""

    def __init__(self, file: str, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file}: {reason}")


def choices(given: str, known: Sequence[str]) -> str:
    """Return the end of a message about an unknown name: the closest known one, and all of them."""
    close = get_close_matches(given, known, n=1)
    suggestion = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{suggestion} known: {', '.join(known) or 'none'}"
