"""The only reader of the environment. It reads once, and errors name the variable."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from functions.domain.documents import described
from functions.domain.errors import BadTemplate, Misconfigured
from functions.domain.execution.safeguards import Limits
from functions.domain.ids import UserIdFormat, is_user_id, no_user_id
from functions.domain.policy import Policy
from functions.domain.push.links import LinkPolicy, check_entry
from functions.domain.retention import EXECUTION_DAYS, LEAST_EXECUTION_DAYS, MOST_EXECUTION_DAYS
from functions.domain.roles import Role
from functions.domain.task_limits import LONGEST_STATEMENT_SECONDS, job_time
from functions.settings import (
    FUNCTION,
    URL_VARIABLE,
    CloudSettings,
    ConsoleSettings,
    FcmSettings,
    Platform,
    Settings,
    UserDatabaseSettings,
    UserDatasetSettings,
)
from functions.settings.alerts import alert_policy, webhooks_of
from functions.settings.variables import Variables

_LOCATION = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_BUCKET_FOLDER = re.compile(rf"gs://{_BUCKET.pattern}(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*/?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PROJECT = re.compile(r"[a-z][a-z0-9:.-]{3,99}")
"""A project id, perhaps with a domain: cloud.google.com/resource-manager/docs/creating-managing-projects."""
_DATASET = re.compile(rf"{_PROJECT.pattern}\.[A-Za-z0-9_]{{1,1024}}")
"""A dataset with its project id: cloud.google.com/bigquery/docs/datasets#dataset-naming."""
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_SHORTEST_KEY = 32
_LOOKS = {Platform.EMBEDDED: 0, Platform.GOOGLE_CLOUD: 30}
_USER_IDS, _LINKS, _IMAGES = "USER_ID_FORMAT", "ALLOWED_LINKS", "ALLOWED_IMAGES"
_STATEMENT = "USER_DATA_TIMEOUT_SECONDS"


def process_settings(said: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; `said` is what its workspace says, as for `read_settings`."""
    return read_settings(os.environ, said)


def named_commit() -> str:
    """Return the commit of the deployment (SOURCE_COMMIT); empty if not set."""
    return os.environ.get("SOURCE_COMMIT", "")


def collector_address() -> str:
    """Return the address of an OpenTelemetry collector (OTEL_EXPORTER_OTLP_ENDPOINT); empty if not set."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()


def read_settings(environ: Mapping[str, str], said: Mapping[str, str] | None = None) -> Settings:
    """Read settings from environment variables; Misconfigured names the invalid one.

    `said` is what a workspace says for variables that are not set. Where `USER_DATA_DIR` or another kind of
    `USER_DATA` is set, the workspace does not say where user data are.
    """
    reader = Variables(environ, _still_said(environ, said or {}))
    platform = _platform(reader)
    return Settings(
        platform=platform,
        cloud=_cloud(reader) if platform is Platform.GOOGLE_CLOUD else None,
        state_dir=Path(reader.text("STATE_DIR", ".tminus/state")),
        workspace=_workspace(reader),
        user_data_dir=_user_data_dir(reader),
        user_database=_user_database(reader) if _user_data(reader) == "postgres" else None,
        user_dataset=_user_dataset(reader) if _user_data(reader) == "bigquery" else None,
        user_data_timeout=timedelta(seconds=reader.number(_STATEMENT, 600, most=LONGEST_STATEMENT_SECONDS)),
        job_time=job_time(reader.text("K_SERVICE", "")),
        fcm=_fcm(reader) if reader.choice("PUSH_SENDER", ["outbox", "fcm"]) == "fcm" else None,
        webhooks=webhooks_of(reader.words("ALERT_WEBHOOKS")),
        image_check=reader.choice("IMAGE_CHECK", ["on", "off"]) == "on",
        policy=_policy(reader),
    )


def _still_said(environ: Mapping[str, str], said: Mapping[str, str]) -> Mapping[str, str]:
    kind = environ.get("USER_DATA", "").strip().lower() or (
        "files" if environ.get("USER_DATA_DIR", "").strip() else ""
    )
    if kind in ("", said.get("USER_DATA")):
        return said
    return {name: value for name, value in said.items() if name in (_USER_IDS, _LINKS, _IMAGES)}


def _platform(reader: Variables) -> Platform:
    return Platform(reader.choice("TMINUS_PLATFORM", [platform.value for platform in Platform]))


def _project(reader: Variables) -> str:
    return reader.like("GOOGLE_CLOUD_PROJECT", _PROJECT, "the id of the Firebase project")


def _cloud(reader: Variables) -> CloudSettings:
    function_url = reader.url("FUNCTION_URL")
    if function_url.count(FUNCTION) != 1:
        raise Misconfigured("FUNCTION_URL", f"must hold {FUNCTION} where the function's name goes")
    account = "the e-mail address of a service account"
    return CloudSettings(
        project=_project(reader),
        location=reader.like("GOOGLE_CLOUD_LOCATION", _LOCATION, "a location such as europe-west1"),
        function_url=function_url,
        bucket=_bucket(reader),
        task_caller=reader.like("TASK_CALLER", _EMAIL, account),
        scheduler_caller=reader.like("SCHEDULER_CALLER", _EMAIL, account),
        database=reader.text("FIRESTORE_DATABASE", CloudSettings.database),
        task_queue=reader.text("TASK_QUEUE", CloudSettings.task_queue),
        shard_queue=reader.text("SHARD_QUEUE", CloudSettings.shard_queue),
        alert_queue=reader.text("ALERT_QUEUE", CloudSettings.alert_queue),
        tasks_emulator=reader.text("CLOUD_TASKS_EMULATOR_HOST", ""),
        scheduler_emulator=reader.text("CLOUD_SCHEDULER_EMULATOR_HOST", ""),
        certs_url=reader.url("OIDC_CERTS_URL", CloudSettings.certs_url),
        signatures_removed=reader.choice("OIDC_SIGNATURES", ["verify", "removed"]) == "removed",
        api_callers=_roles(reader, "API_CALLERS"),
        console=_console(reader),
    )


def _workspace(reader: Variables) -> Path | None:
    text = reader.text("WORKSPACE", "")
    if text and not (Path(text) / "tminus.toml").is_file():
        raise Misconfigured("WORKSPACE", f"there is no tminus.toml in {text!r}: name the folder of a workspace")
    return Path(text) if text else None


def _user_data_dir(reader: Variables) -> Path | str:
    text = reader.text("USER_DATA_DIR", ".tminus/data")
    if "://" not in text:
        return Path(text)
    return reader.like("USER_DATA_DIR", _BUCKET_FOLDER, "a folder, or one of a bucket as gs://bucket/folder")


def _bucket(reader: Variables) -> str:
    return reader.like("AUDIENCE_BUCKET", _BUCKET, "the name of a bucket")


def _user_data(reader: Variables) -> str:
    return reader.choice("USER_DATA", ["files", "postgres", "bigquery"])


def _user_dataset(reader: Variables) -> UserDatasetSettings:
    dataset = reader.like("USER_DATASET", _DATASET, "a dataset of BigQuery, as in project.dataset")
    by_workspace = "USER_DATASET" in reader.said and not reader.text("GOOGLE_CLOUD_PROJECT", "")
    return UserDatasetSettings(
        dataset=dataset,
        project=dataset.rpartition(".")[0] if by_workspace else _project(reader),
        bucket=_bucket(reader),
        max_gib_billed=reader.number("USER_DATASET_MAX_GIB_BILLED", UserDatasetSettings.max_gib_billed),
        max_gib_looked=reader.number("USER_DATASET_MAX_GIB_LOOKED", UserDatasetSettings.max_gib_looked),
    )


def _user_database(reader: Variables) -> UserDatabaseSettings:
    variable = "USER_DATABASE_URL"
    if not reader.text(variable, ""):
        variable = reader.said.get(URL_VARIABLE, variable)
    url = reader.text(variable, "")
    if url and not url.startswith(("postgresql://", "postgres://")):
        # The error does not show the value: it may be a password.
        raise Misconfigured(variable, "must begin with postgresql://, as in postgresql://role@host/database")
    schema = "USER_DATABASE_SCHEMA"
    if not reader.text(schema, ""):
        return UserDatabaseSettings(url=url, variable=variable)
    name = reader.like(schema, _SCHEMA, "the name of a schema")
    return UserDatabaseSettings(url=url, variable=variable, schema=name)


def process_console_users() -> Mapping[str, Role]:
    """Return the users of the console that CONSOLE_USERS names, on any platform."""
    return _console(Variables(os.environ, {})).users


def _key(reader: Variables, variable: str) -> str:
    key = reader.text(variable, "")
    if key and len(key) < _SHORTEST_KEY:
        raise Misconfigured(variable, f"must have at least {_SHORTEST_KEY} characters, got {len(key)}")
    return key


def _console(reader: Variables) -> ConsoleSettings:
    return ConsoleSettings(
        audience=reader.text("IAP_AUDIENCE", ""),
        users={email.lower(): role for email, role in _roles(reader, "CONSOLE_USERS").items()},
        keys_url=reader.url("IAP_KEYS_URL", ConsoleSettings.keys_url),
        key=_key(reader, "CONSOLE_KEY"),
    )


def _roles(reader: Variables, setting: str) -> Mapping[str, Role]:
    """Read roles: `EMAIL:ROLE`, separated by commas."""
    callers = dict[str, Role]()
    for place, word in enumerate(reader.words(setting), start=1):
        email, _, role = word.rpartition(":")
        if not _EMAIL.fullmatch(email) or role not in list(Role):
            raise Misconfigured(
                setting,
                f"must be EMAIL:ROLE, with a role of {', '.join(Role)}, got {described(word)} in place {place}",
            )
        if callers.setdefault(email, Role(role)) != role:
            raise Misconfigured(setting, f"{email} has two roles; name it once")
    return callers


def _fcm(reader: Variables) -> FcmSettings:
    endpoint = reader.text("FCM_ENDPOINT", FcmSettings.endpoint).rstrip("/")
    if not endpoint.startswith("https://"):
        raise Misconfigured(
            "FCM_ENDPOINT", f"must begin with https://, as access tokens travel there, got {described(endpoint)}"
        )
    return FcmSettings(
        project=_project(reader),
        endpoint=endpoint,
        ca_file=reader.file("FCM_CA_FILE"),
        credentials_file=reader.file("FCM_CREDENTIALS_FILE"),
        time_to_live=_time_to_live(reader),
    )


def _time_to_live(reader: Variables) -> timedelta:
    minutes = reader.number("PUSH_TTL_MINUTES", Policy.time_to_live // timedelta(minutes=1), most=28 * 24 * 60)
    return timedelta(minutes=minutes)


def _policy(reader: Variables) -> Policy:
    form = UserIdFormat(reader.choice(_USER_IDS, [form.value for form in UserIdFormat]))
    testers = reader.words("DEFAULT_TEST_USER_IDS")
    for place, user_id in enumerate(testers, start=1):
        if not is_user_id(user_id, form):
            raise Misconfigured("DEFAULT_TEST_USER_IDS", no_user_id(f"entry {place}", form))
    return Policy(
        default_test_user_ids=testers,
        user_id_format=form,
        devices_per_user=reader.number("DEVICES_PER_USER", 1),
        fail_open=reader.choice("CADENCE_FAIL", ["closed", "open"]) == "open",
        send_rate=reader.number("FCM_MESSAGES_PER_SECOND", Policy.send_rate),
        time_to_live=_time_to_live(reader),
        firebase_project=reader.text("GOOGLE_CLOUD_PROJECT", ""),
        alerts=alert_policy(reader),
        user_hash_key=_key(reader, "USER_HASH_KEY"),
        executions_kept=timedelta(
            days=reader.number(
                "EXECUTION_RETENTION_DAYS", EXECUTION_DAYS, least=LEAST_EXECUTION_DAYS, most=MOST_EXECUTION_DAYS
            )
        ),
        bucket=_bucket(reader) if _platform(reader) is Platform.GOOGLE_CLOUD else "",
        looks_per_minute=reader.number("LOOKS_PER_MINUTE", _LOOKS[_platform(reader)], least=0),
        links=LinkPolicy(allowed=_destinations(reader, _LINKS), images=_images(reader)),
        limits=Limits(
            executions_at_once=reader.number("MAX_EXECUTIONS_AT_ONCE", 10),
            total_audience=reader.number("MAX_TOTAL_AUDIENCE", 100_000),
            pushes=reader.number("MAX_PUSHES", 20),
            total_delay=timedelta(minutes=reader.number("MAX_TOTAL_DELAY_MINUTES", 5 * 24 * 60, least=0)),
            shortest_window=timedelta(minutes=reader.number("SHORTEST_WINDOW_MINUTES", 5, least=0)),
        ),
    )


def _destinations(reader: Variables, variable: str) -> tuple[str, ...]:
    entries = tuple(word.lower() for word in reader.words(variable, "https"))
    for place, entry in enumerate(entries, start=1):
        try:
            check_entry(entry)
        except BadTemplate as error:
            named = f"entry {place}" if "@" in entry else f"entry {place}, {entry!r},"  # it may have a password
            raise Misconfigured(variable, f"{named} {error}") from None
    return entries


def _images(reader: Variables) -> tuple[str, ...]:
    allowed = _destinations(reader, _IMAGES)
    for word in allowed:
        if word != "https" and not word.startswith("https://"):
            raise Misconfigured(
                _IMAGES, f"must be https, or hosts such as https://img.example.com, got {described(word)}"
            )
    return allowed
