"""The settings of a deployment, as types. `read.py` reads them from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from functions.domain.policy import Policy
from functions.domain.roles import Role

FUNCTION = "{function}"
"""The placeholder for a function's name in the pattern of the functions' addresses."""


URL_VARIABLE = "USER_DATABASE_URL_VARIABLE"
"""Where a workspace names the variable with the address of the user database; it is not a variable itself."""


class Platform(StrEnum):
    """The platform of the functions."""

    EMBEDDED = "embedded"
    GOOGLE_CLOUD = "gcp"


@dataclass(frozen=True, kw_only=True)
class FcmSettings:
    """Where and how to reach FCM.

    `credentials_file` is a service account's key; without one, the credentials of the machine are used. `ca_file`
    replaces the default certificate authorities, so that a local server can replace FCM. `time_to_live` is how long
    FCM tries to reach a device.
    """

    project: str
    endpoint: str = "https://fcm.googleapis.com"
    ca_file: Path | None = None
    credentials_file: Path | None = None
    time_to_live: timedelta = Policy.time_to_live

    @property
    def send_url(self) -> str:
        """The address of HTTP v1's send: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send."""
        return f"{self.endpoint}/v1/projects/{self.project}/messages:send"


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings:
    """Who can visit the console on Google Cloud.

    Identity-Aware Proxy asserts the visitor in a token for `audience`, signed by one of the keys at `keys_url`
    (cloud.google.com/iap/docs/signed-headers-howto). `users` maps people to roles. The console signs its forms with
    `key`, which other functions do not have.
    """

    audience: str = ""
    users: Mapping[str, Role] = field(default_factory=dict)
    keys_url: str = "https://www.gstatic.com/iap/verify/public_key"
    key: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class CloudSettings:
    """The resources on Google Cloud, and the allowed callers of the functions.

    `function_url` is the address of every function, with `{function}` where its name goes, hyphens for underscores;
    it is what ID tokens are made out to, too. `task_caller` and `scheduler_caller` are the e-mail addresses of
    the service accounts that call. `api_callers` are the accounts of programs and the role of each. `certs_url` has
    the keys that Google signs tokens with. The emulators are addresses of stand-ins; Firestore's and Cloud Storage's
    clients find theirs by themselves.

    `signatures_removed` says that Cloud Run's own check of callers guards the functions that tasks and jobs call: it
    has verified their tokens then, and passes them on with the words SIGNATURE_REMOVED_BY_GOOGLE for a signature
    (cloud.google.com/run/docs/troubleshooting#signature-removed), so they cannot be verified again.
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
    signatures_removed: bool = False
    api_callers: Mapping[str, Role] = field(default_factory=dict)
    console: ConsoleSettings = ConsoleSettings()

    def url_of(self, function: str) -> str:
        """Return the address of a function."""
        return self.function_url.replace(FUNCTION, function.replace("_", "-"))

    def function_at(self, url: str) -> str | None:
        """Return the function at an address; None for any other address."""
        start, _, end = self.function_url.partition(FUNCTION)
        if not url.startswith(start) or not url.endswith(end) or len(url) <= len(start) + len(end):
            return None
        return url[len(start) : len(url) - len(end)].replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class UserDatabaseSettings:
    """A PostgreSQL database with the user data: its address for libpq, and the schema of the tables.

    The address is a secret of build_audience; in other functions it is empty. `variable` is where it comes from.
    """

    url: str = field(repr=False)  # it may contain a password
    variable: str = "USER_DATABASE_URL"
    schema: str = "public"


@dataclass(frozen=True, kw_only=True)
class UserDatasetSettings:
    """A BigQuery dataset (`project.dataset`) with the user data.

    `project` pays for the queries, at most `max_gib_billed` for each, and at most `max_gib_looked` if a person or a
    program only looks. Results are exported through `bucket`.
    """

    dataset: str
    project: str
    bucket: str
    max_gib_billed: int = 100
    max_gib_looked: int = 10


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings from the environment. Without `fcm`, messages go to a file that people can read.

    User data are files in `user_data_dir`, a folder or `gs://bucket/folder`, unless there is a `user_database` or a
    `user_dataset`. `workspace` is the folder that names their tables, None the built-in one. `user_data_timeout`
    limits a statement of an audience job, and `job_time` on Google Cloud the whole job. `webhooks` are the addresses
    of alert channels, by name. They are a secret of send_alert, as anyone who has an address can post there; other
    functions have none. `image_check` says whether the images of pushes are loaded at T-30.
    """

    platform: Platform = Platform.EMBEDDED
    cloud: CloudSettings | None = None
    fcm: FcmSettings | None = None
    state_dir: Path = Path(".tminus/state")
    workspace: Path | None = None
    user_data_dir: Path | str = Path(".tminus/data")
    user_database: UserDatabaseSettings | None = None
    user_dataset: UserDatasetSettings | None = None
    user_data_timeout: timedelta = timedelta(minutes=10)
    job_time: timedelta = timedelta(minutes=25)
    webhooks: Mapping[str, str] = field(default_factory=dict, repr=False)
    image_check: bool = True
    policy: Policy = field(default_factory=Policy)

    def on_files(self, folder: Path | str) -> "Settings":
        """Return the settings with the user data in a folder instead."""
        return replace(self, user_data_dir=folder, user_database=None, user_dataset=None)
