"""Where the user data of a workspace are, as `[source]` of tminus.toml says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from audience_jobs.workspace.toml_file import Problem, TomlFile, shown, suggestion

KINDS = ("data", "postgres", "bigquery")
_KEYS = (*KINDS, "schema", "bucket")
_NEEDS = {"schema": "postgres", "bucket": "bigquery"}
"""The keys that say more about one kind of source."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PART = r"[A-Za-z0-9_=-][A-Za-z0-9._=-]*"
_BUCKET = r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"
_URL = re.compile(r"postgres(ql)?://[^\s\x00-\x1f\x7f]+")
_PASSWORD = re.compile(r"(?P<before>^postgres(?:ql)?://[^@/:]*)(?P<password>:[^@/]*)(?=@)|[?&](ssl)?password=[^&]*")
"""A password in an address for libpq: postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS."""
_PATTERNS = {
    "data": re.compile(rf"gs://{_BUCKET}(/{_PART})*/?"),
    "postgres": re.compile(rf"{_URL.pattern}|[A-Z][A-Z0-9_]{{0,99}}"),
    "schema": re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}"),
    "bigquery": re.compile(r"[a-z][a-z0-9:.-]{3,99}\.[A-Za-z0-9_]{1,1024}"),
    "bucket": re.compile(_BUCKET),
}
_RULES = {
    "data": "write a folder, relative to this file, or gs://bucket/folder",
    "postgres": "write postgresql://role@host/database, or the name of a variable that holds it, as in SHOP_DATABASE",
    "schema": "write the name of a schema",
    "bigquery": "write project.dataset",
    "bucket": "write the name of a bucket",
}
_SECRET = (
    "has a password: take it out of the file, and give it as PGPASSWORD, or the whole address as USER_DATABASE_URL"
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where user data are; one of `data`, `postgres` and `bigquery` says it.

    `data` is a folder, or one of a bucket as `gs://bucket/folder`. `postgres` is an address for libpq without a
    password, or the name of the variable that holds one, and `schema` that of the tables. `bigquery` is
    `project.dataset`, and what queries find leaves it through `bucket`.
    """

    data: str = ""
    postgres: str = ""
    schema: str = ""
    bigquery: str = ""
    bucket: str = ""

    @property
    def variable(self) -> str:
        """The name of the variable that holds the address of the database; empty where the file has it."""
        return "" if "://" in self.postgres else self.postgres

    def settings(self, folder: Path) -> Mapping[str, str]:
        """Return the settings that say the same, by the names of their variables; a folder of data is in `folder`.

        `USER_DATABASE_URL_VARIABLE` names the variable that takes the place of `USER_DATABASE_URL`.
        """
        if self.postgres:
            address = {"USER_DATABASE_URL" + ("_VARIABLE" if self.variable else ""): self.postgres}
            return {
                "USER_DATA": "postgres",
                **address,
                **({"USER_DATABASE_SCHEMA": self.schema} if self.schema else {}),
            }
        if self.bigquery:
            bucket = {"AUDIENCE_BUCKET": self.bucket} if self.bucket else {}
            return {"USER_DATA": "bigquery", "USER_DATASET": self.bigquery, **bucket}
        place = self.data if self.data.startswith("gs://") else str(folder / self.data)
        return {"USER_DATA": "files", "USER_DATA_DIR": place}


def without_password(url: str) -> str:
    """Return an address for libpq without the passwords in it."""
    kept = _PASSWORD.sub(lambda found: found["before"] or "", url)
    return kept if "?" in kept else kept.replace("&", "?", 1)


def read_source(file: TomlFile, problems: list[Problem]) -> Source | None:
    """Return where tminus.toml says that user data are, None where it does not; adds what is wrong to `problems`."""
    written = file.content.get("source")
    if written is None:
        return None
    found = list(_problems(file, written))
    problems += found
    return None if found else Source(**written)


def _problems(file: TomlFile, written: object) -> Iterator[Problem]:
    if not isinstance(written, dict):
        yield file.problem(["source"], f'is {shown(written)}: write [source] and below it data = "FOLDER"')
        return
    for key, value in written.items():
        keys = ["source", key]
        if key not in _KEYS:
            yield file.problem(keys, f"unknown key{suggestion(key, _KEYS)}", label="source." + shown(key)[1:-1])
        elif reason := source_fault(key, value):
            yield file.problem(keys, reason)
        elif (kind := _NEEDS.get(key)) and kind not in written:
            yield file.problem(keys, f"belongs to {kind}: write {kind} too, or leave it out")
    if len(named := [key for key in KINDS if key in written]) != 1:
        reason = (
            f"has {' and '.join(named)}: leave one" if named else f"says nothing: write one of {', '.join(KINDS)}"
        )
        yield file.problem(["source", *named[1:2]], reason, label="source")


def source_fault(key: str, value: object) -> str:
    """Return what is wrong with a value; empty where nothing is. A password is not shown."""
    if not isinstance(value, str):
        return f"is {shown(value)}: {_RULES[key]}"
    if key == "postgres" and _URL.fullmatch(value) and _PASSWORD.search(value):
        return _SECRET
    if key == "data" and value and "://" not in value and not _CONTROL.search(value):
        return ""
    if _PATTERNS[key].fullmatch(value):
        return ""
    return _RULES[key] if key == "postgres" else f"is {shown(value)}: {_RULES[key]}"
