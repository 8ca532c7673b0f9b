"""The only reader of the environment: what a deployment is told, read once, refused early and by name."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from functions.domain.alerts.alert import EVERYTHING
from functions.domain.alerts.cancel_link import SHORTEST_SECRET
from functions.domain.errors import Misconfigured
from functions.domain.execution.safeguards import Limits
from functions.domain.ids import UserIdFormat, is_user_id, no_user_id
from functions.domain.policy import AlertPolicy, Policy
from functions.domain.push.links import LinkPolicy
from functions.domain.roles import Role

_FUNCTION = "{function}"
_LOCATION = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_BUCKET_FOLDER = re.compile(rf"gs://{_BUCKET.pattern}(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*/?")
_CHANNEL = re.compile(r"[A-Za-z0-9_-]{1,50}")
_WEB = re.compile(r"https://[^\s/]|http://(127\.0\.0\.1|localhost):[0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?|http://(localhost|127\.0\.0\.1)(:[0-9]+)?")
_PROJECT = re.compile(r"[a-z][a-z0-9:.-]{3,99}")
"""A project's id, perhaps of a domain's: cloud.google.com/resource-manager/docs/creating-managing-projects."""
_DATASET = re.compile(rf"{_PROJECT.pattern}\.[A-Za-z0-9_]{{1,1024}}")
"""A dataset with its project's id: cloud.google.com/bigquery/docs/datasets#dataset-naming."""
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_SHORTEST_KEY = 32
_TASK_SECONDS = 30 * 60
"""A task may run for half an hour: cloud.google.com/tasks/docs/creating-http-target-tasks#handler."""


class Platform(StrEnum):
    """Where the functions run."""

    EMBEDDED = "embedded"
    GOOGLE_CLOUD = "gcp"


@dataclass(frozen=True, kw_only=True)
class FcmSettings:
    """Where and how to reach FCM.

    `credentials_file` is a service account's key; without one, the credentials of the machine are used. `ca_file`
    replaces the authorities that are trusted by default, so that a local server can stand in for FCM.
    `time_to_live` is how long FCM tries to reach a device.
    """

    project: str
    endpoint: str = "https://fcm.googleapis.com"
    ca_file: Path | None = None
    credentials_file: Path | None = None
    time_to_live: timedelta = timedelta(hours=4)

    @property
    def send_url(self) -> str:
        """The address of HTTP v1's send: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send."""
        return f"{self.endpoint}/v1/projects/{self.project}/messages:send"


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings:
    """Who may visit the console on Google Cloud.

    Identity-Aware Proxy stands before it and asserts who comes, made out to `audience`, signed by one of the keys at
    `keys_url` (cloud.google.com/iap/docs/signed-headers-howto). `users` are the people and the role of each. With
    `key` the console signs its forms; other functions do not know it.
    """

    audience: str = ""
    users: Mapping[str, Role] = field(default_factory=dict)
    keys_url: str = "https://www.gstatic.com/iap/verify/public_key"
    key: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class CloudSettings:
    """Where things are on Google Cloud, and who may call the functions.

    `function_url` is the address of every function, with `{function}` where its name goes, hyphens for underscores;
    it is what ID tokens are made out to, too. `task_caller` and `scheduler_caller` are the e-mail addresses of
    the service accounts that call. `api_callers` are the accounts of programs and the role of each. `certs_url` and
    `firebase_certs_url` have the keys that Google and Firebase Authentication sign tokens with. The emulators are
    addresses of stand-ins; Firestore's and Cloud Storage's clients find theirs by themselves.

    `signatures_removed` says that Cloud Run's own check of callers guards the functions that tasks and jobs call: it
    has verified their tokens then, and passes them on with the words SIGNATURE_REMOVED_BY_GOOGLE for a signature
    (cloud.google.com/run/docs/troubleshooting#signature-removed), so nobody can verify them once more.
    """

    project: str
    location: str
    function_url: str
    bucket: str
    task_caller: str
    scheduler_caller: str
    database: str = "(default)"
    task_queue: str = "tminus-steps"
    shard_queue: str = "tminus-shards"
    alert_queue: str = "tminus-alerts"
    tasks_emulator: str = ""
    scheduler_emulator: str = ""
    certs_url: str = "https://www.googleapis.com/oauth2/v1/certs"
    firebase_certs_url: str = (
        "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
    )
    signatures_removed: bool = False
    api_callers: Mapping[str, Role] = field(default_factory=dict)
    console: ConsoleSettings = ConsoleSettings()

    def url_of(self, function: str) -> str:
        """Return the address of a function."""
        return self.function_url.replace(_FUNCTION, function.replace("_", "-"))

    def function_at(self, url: str) -> str | None:
        """Return the function that has an address, None for an address of somebody else's."""
        start, _, end = self.function_url.partition(_FUNCTION)
        if not url.startswith(start) or not url.endswith(end) or len(url) <= len(start) + len(end):
            return None
        return url[len(start) : len(url) - len(end)].replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class UserDatabaseSettings:
    """A PostgreSQL database that holds the user data: its address as libpq takes it, and the schema of the tables.

    The address is a secret of build_audience's; elsewhere it is empty.
    """

    url: str = field(repr=False)  # a password may be in it
    schema: str = "public"


@dataclass(frozen=True, kw_only=True)
class UserDatasetSettings:
    """A BigQuery dataset (`project.dataset`) that holds the user data.

    `project` pays for the queries, each of which is billed for `max_gib_billed` at most. What they find gets out by
    way of `bucket`.
    """

    dataset: str
    project: str
    bucket: str
    max_gib_billed: int = 100


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the environment decides. Without `fcm`, messages go to a file that people can read.

    User data are files in `user_data_dir`, a folder or `gs://bucket/folder`, unless there is a `user_database` or a
    `user_dataset`. A statement of an audience job may take `user_data_timeout`. `webhooks` are the addresses of
    channels for alerts, by name: a secret of send_alert's, as whoever knows one may post there; elsewhere there are
    none.
    """

    platform: Platform = Platform.EMBEDDED
    cloud: CloudSettings | None = None
    fcm: FcmSettings | None = None
    state_dir: Path = Path(".tminus/state")
    user_data_dir: Path | str = Path(".tminus/data")
    user_database: UserDatabaseSettings | None = None
    user_dataset: UserDatasetSettings | None = None
    user_data_timeout: timedelta = timedelta(minutes=10)
    webhooks: Mapping[str, str] = field(default_factory=dict, repr=False)
    policy: Policy = field(default_factory=Policy)

    def on_files(self, folder: Path | str) -> "Settings":
        """Give the settings with the user data in a folder, wherever they were."""
        return replace(self, user_data_dir=folder, user_database=None, user_dataset=None)


def process_settings() -> Settings:
    """Read the settings of this process."""
    return read_settings(os.environ)


def named_commit() -> str:
    """Return the commit that the deployment says it runs (SOURCE_COMMIT); empty where it does not say."""
    return os.environ.get("SOURCE_COMMIT", "")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read settings from the environment's variables; Misconfigured names the one at fault."""
    reader = _Reader(environ)
    platform = Platform(reader.choice("TMINUS_PLATFORM", [platform.value for platform in Platform]))
    return Settings(
        platform=platform,
        cloud=_cloud(reader) if platform is Platform.GOOGLE_CLOUD else None,
        state_dir=Path(reader.text("STATE_DIR", ".tminus/state")),
        user_data_dir=_user_data_dir(reader),
        user_database=_user_database(reader) if _user_data(reader) == "postgres" else None,
        user_dataset=_user_dataset(reader) if _user_data(reader) == "bigquery" else None,
        user_data_timeout=timedelta(seconds=reader.number("USER_DATA_TIMEOUT_SECONDS", 600, most=_TASK_SECONDS)),
        fcm=_fcm(reader) if reader.choice("PUSH_SENDER", ["outbox", "fcm"]) == "fcm" else None,
        webhooks=webhooks_of(reader.words("ALERT_WEBHOOKS")),
        policy=_policy(reader),
    )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def words(self, name: str, default: str = "") -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name, default).split(",") if word.strip())

    def number(self, name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        text = self.text(name, str(default))
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise Misconfigured(name, f"must be a whole number {bounds}, got {text!r}")
        return int(text)

    def file(self, name: str) -> Path | None:
        text = self.text(name, "")
        if text and not Path(text).is_file():
            raise Misconfigured(name, f"there is no file {text!r}")
        return Path(text) if text else None

    def like(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        text = self.text(name, "")
        if not pattern.fullmatch(text):
            raise Misconfigured(name, f"must be {what}, got {text!r}")
        return text

    def url(self, name: str, default: str = "") -> str:
        """Return an address that begins with https://, or one of this machine."""
        text = self.text(name, default)
        if not text.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise Misconfigured(name, f"must begin with https://, got {text!r}")
        return text

    def choice(self, name: str, choices: list[str]) -> str:
        text = self.text(name, choices[0]).lower()
        if text not in choices:
            raise Misconfigured(name, f"must be one of {', '.join(choices)}, got {text!r}")
        return text


def _project(reader: _Reader) -> str:
    return reader.like("GOOGLE_CLOUD_PROJECT", _PROJECT, "the id of the Firebase project")


def _cloud(reader: _Reader) -> CloudSettings:
    function_url = reader.url("FUNCTION_URL")
    if function_url.count(_FUNCTION) != 1:
        raise Misconfigured("FUNCTION_URL", f"must hold {_FUNCTION} where the function's name goes: {function_url!r}")
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
        firebase_certs_url=reader.url("FIREBASE_CERTS_URL", CloudSettings.firebase_certs_url),
        signatures_removed=reader.choice("OIDC_SIGNATURES", ["verify", "removed"]) == "removed",
        api_callers=_roles(reader, "API_CALLERS"),
        console=_console(reader),
    )


def _user_data_dir(reader: _Reader) -> Path | str:
    text = reader.text("USER_DATA_DIR", ".tminus/data")
    if "://" not in text:
        return Path(text)
    return reader.like("USER_DATA_DIR", _BUCKET_FOLDER, "a folder, or one of a bucket as gs://bucket/folder")


def _bucket(reader: _Reader) -> str:
    return reader.like("AUDIENCE_BUCKET", _BUCKET, "the name of a bucket")


def _user_data(reader: _Reader) -> str:
    return reader.choice("USER_DATA", ["files", "postgres", "bigquery"])


def _user_dataset(reader: _Reader) -> UserDatasetSettings:
    return UserDatasetSettings(
        dataset=reader.like("USER_DATASET", _DATASET, "a dataset of BigQuery, as in project.dataset"),
        project=_project(reader),
        bucket=_bucket(reader),
        max_gib_billed=reader.number("USER_DATASET_MAX_GIB_BILLED", UserDatasetSettings.max_gib_billed),
    )


def _user_database(reader: _Reader) -> UserDatabaseSettings:
    url = reader.text("USER_DATABASE_URL", "")
    if url and not url.startswith(("postgresql://", "postgres://")):
        # What is there is not shown: it may be a password.
        raise Misconfigured(
            "USER_DATABASE_URL", "must begin with postgresql://, as in postgresql://role@host/database"
        )
    schema = "USER_DATABASE_SCHEMA"
    if not reader.text(schema, ""):
        return UserDatabaseSettings(url=url)
    return UserDatabaseSettings(url=url, schema=reader.like(schema, _SCHEMA, "the name of a schema"))


def _console(reader: _Reader) -> ConsoleSettings:
    key = reader.text("CONSOLE_KEY", "")
    if key and len(key) < _SHORTEST_KEY:
        raise Misconfigured("CONSOLE_KEY", f"must have at least {_SHORTEST_KEY} characters, got {len(key)}")
    return ConsoleSettings(
        audience=reader.text("IAP_AUDIENCE", ""),
        users={email.lower(): role for email, role in _roles(reader, "CONSOLE_USERS").items()},
        keys_url=reader.url("IAP_KEYS_URL", ConsoleSettings.keys_url),
        key=key,
    )


def _roles(reader: _Reader, setting: str) -> Mapping[str, Role]:
    """Read who has which role: `EMAIL:ROLE`, several with commas between them."""
    callers = dict[str, Role]()
    for word in reader.words(setting):
        email, _, role = word.rpartition(":")
        if not _EMAIL.fullmatch(email) or role not in list(Role):
            raise Misconfigured(setting, f"must be EMAIL:ROLE, with a role of {', '.join(Role)}, got {word!r}")
        if callers.setdefault(email, Role(role)) != role:
            raise Misconfigured(setting, f"{email} has two roles; name it once")
    return callers


def _api_origins(reader: _Reader) -> tuple[str, ...]:
    """Read the origins whose pages may call the API, as a browser writes them; `*` would let every page in."""
    for origin in (origins := reader.words("API_CORS_ORIGINS")):
        if not _ORIGIN.fullmatch(origin):
            raise Misconfigured("API_CORS_ORIGINS", f"must be origins such as https://example.com, got {origin!r}")
    return origins


def _fcm(reader: _Reader) -> FcmSettings:
    endpoint = reader.text("FCM_ENDPOINT", FcmSettings.endpoint).rstrip("/")
    if not endpoint.startswith("https://"):
        raise Misconfigured(
            "FCM_ENDPOINT", f"must begin with https://, as access tokens travel there, got {endpoint!r}"
        )
    return FcmSettings(
        project=_project(reader),
        endpoint=endpoint,
        ca_file=reader.file("FCM_CA_FILE"),
        credentials_file=reader.file("FCM_CREDENTIALS_FILE"),
        time_to_live=timedelta(minutes=reader.number("PUSH_TTL_MINUTES", 4 * 60, most=28 * 24 * 60)),
    )


def webhooks_of(words: Sequence[str]) -> Mapping[str, str]:
    """Read channels' addresses: each is `NAME=URL`; a URL alone is the channel for everything.

    Misconfigured where one cannot be used. It does not show what is there: whoever knows an address may post to it.
    """
    setting, webhooks = "ALERT_WEBHOOKS", dict[str, str]()
    for place, word in enumerate(words, start=1):
        name, url = (EVERYTHING, word) if _WEB.match(word) else (word.partition("=")[0], word.partition("=")[2])
        if not _CHANNEL.fullmatch(name) or not _WEB.match(url):
            raise Misconfigured(setting, f"entry {place} must be NAME=URL, with a URL that begins with https://")
        if webhooks.setdefault(name, url) != url:
            raise Misconfigured(setting, f"channel {name} has two addresses; give one of them another name")
    return webhooks


def _alert_policy(reader: _Reader) -> AlertPolicy:
    channels, console, secrets = "ALERT_CHANNELS", "CONSOLE_URL", "CANCEL_LINK_SECRETS"
    names = reader.words(channels) or tuple(webhooks_of(reader.words("ALERT_WEBHOOKS")))
    for name in names:
        if not _CHANNEL.fullmatch(name):
            raise Misconfigured(channels, f"must be names of letters, digits, '-' and '_', got {name!r}")
    for place, secret in enumerate(reader.words(secrets), start=1):
        if len(secret) < SHORTEST_SECRET:
            raise Misconfigured(
                secrets, f"secret {place} is shorter than {SHORTEST_SECRET} characters; make a random one"
            )
    return AlertPolicy(
        channels=names,
        console_url=reader.url(console).rstrip("/") if reader.text(console, "") else "",
        link_secrets=reader.words(secrets),
    )


def _policy(reader: _Reader) -> Policy:
    form = UserIdFormat(reader.choice("USER_ID_FORMAT", [form.value for form in UserIdFormat]))
    testers = reader.words("DEFAULT_TEST_USER_IDS")
    for user_id in testers:
        if not is_user_id(user_id, form):
            raise Misconfigured("DEFAULT_TEST_USER_IDS", no_user_id(repr(user_id), form))
    return Policy(
        default_test_user_ids=testers,
        user_id_format=form,
        devices_per_user=reader.number("DEVICES_PER_USER", 1),
        fail_open=reader.choice("CADENCE_FAIL", ["closed", "open"]) == "open",
        send_rate=reader.number("FCM_MESSAGES_PER_SECOND", Policy.send_rate),
        firebase_project=reader.text("GOOGLE_CLOUD_PROJECT", ""),
        api_origins=_api_origins(reader),
        alerts=_alert_policy(reader),
        links=LinkPolicy(allowed=tuple(word.lower() for word in reader.words("ALLOWED_LINKS", "https"))),
        limits=Limits(
            executions_at_once=reader.number("MAX_EXECUTIONS_AT_ONCE", 10),
            total_audience=reader.number("MAX_TOTAL_AUDIENCE", 100_000),
            pushes=reader.number("MAX_PUSHES", 20),
            total_delay=timedelta(minutes=reader.number("MAX_TOTAL_DELAY_MINUTES", 5 * 24 * 60, least=0)),
            shortest_window=timedelta(minutes=reader.number("SHORTEST_WINDOW_MINUTES", 5, least=0)),
        ),
    )
