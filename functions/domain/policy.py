"""What a deployment decides for all of its recipes; its settings fill it in."""

from dataclasses import dataclass, field

from functions.domain.execution.safeguards import Limits
from functions.domain.ids import UserIdFormat
from functions.domain.push.links import LinkPolicy


@dataclass(frozen=True, kw_only=True)
class AlertPolicy:
    """Who hears of alerts, and what their links lead to.

    `channels` are names; without any, alerts are written down and go nowhere. `console_url` is the console's address,
    and `link_secrets` sign cancel links, the first of them new ones: without either there are no such links.
    """

    channels: tuple[str, ...] = ()
    console_url: str = ""
    link_secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The deployment's rules.

    `fail_open` sends to all users if the cadence ledger cannot be read; the default is to send to none.
    `shard_rows` is how many users one worker sends to, `chunk_rows` to how many of them it announces its requests at
    once, `send_rate` the messages a second that FCM's project quota allows. `firebase_project` is the project that
    messages are sent for, empty where they go to an outbox. `api_origins` are the origins whose pages
    may call the API from a browser.
    """

    default_test_user_ids: tuple[str, ...] = ()
    user_id_format: UserIdFormat = UserIdFormat.UUID
    devices_per_user: int = 1
    fail_open: bool = False
    links: LinkPolicy = field(default_factory=LinkPolicy)
    limits: Limits = field(default_factory=Limits)
    shard_rows: int = 20_000
    chunk_rows: int = 500
    send_rate: int = 10_000
    firebase_project: str = ""
    api_origins: tuple[str, ...] = ()
    alerts: AlertPolicy = field(default_factory=AlertPolicy)
