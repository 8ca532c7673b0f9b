"""The deployment's decisions for all recipes, from its settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from functions.domain.execution.safeguards import Limits
from functions.domain.ids import UserIdFormat
from functions.domain.push.links import LinkPolicy
from functions.domain.retention import EXECUTION_DAYS


@dataclass(frozen=True, kw_only=True)
class AlertPolicy:
    """Who gets alerts, and where their links lead.

    `channels` are names; without channels, alerts are only logged. `console_url` is the console's address.
    `link_secrets` sign cancel links; the first one signs new links. Without either, alerts have no cancel links.
    """

    channels: tuple[str, ...] = ()
    console_url: str = ""
    link_secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The deployment's rules.

    With `fail_open`, all users are sent to if the cadence ledger cannot be read; by default none are. `shard_rows` is
    the number of users per shard, `chunk_rows` the number of users per chunk, and `send_rate` FCM's project quota in
    messages a second. `firebase_project` is the project that sends, empty if messages go to an outbox. Each caller
    may make `looks_per_minute` expensive looks at user data, 0 for any number. `bucket` has the uploads that are too
    large for a request, on Google Cloud. `user_hash_key` is the key of the hashes that stand for users in the access
    log, and for erased users in the audit log; if empty, the access log and a laptop make their own. Executions are
    deleted `executions_kept` after their sends. A message lives `time_to_live` unless its push says otherwise: FCM
    keeps it so long for a phone that is off. Another worker takes over a shard or an alert whose worker was silent
    for `lease`, which is longer than sending a chunk or posting to all channels takes.
    """

    default_test_user_ids: tuple[str, ...] = ()
    user_id_format: UserIdFormat = UserIdFormat.UUID
    devices_per_user: int = 1
    fail_open: bool = False
    links: LinkPolicy = field(default_factory=LinkPolicy)
    limits: Limits = field(default_factory=Limits)
    shard_rows: int = 20_000
    chunk_rows: int = 500
    lease: timedelta = timedelta(seconds=60)
    send_rate: int = 10_000
    time_to_live: timedelta = timedelta(hours=4)
    firebase_project: str = ""
    alerts: AlertPolicy = field(default_factory=AlertPolicy)
    user_hash_key: str = field(default="", repr=False)
    executions_kept: timedelta = timedelta(days=EXECUTION_DAYS)
    looks_per_minute: int = 0
    bucket: str = ""
