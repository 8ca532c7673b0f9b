"""What a deployment decides for all of its recipes; its settings fill it in."""

from dataclasses import dataclass, field

from functions.domain.ids import UserIdFormat
from functions.domain.safeguards import Limits
from functions.domain.template import LinkPolicy


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The deployment's rules.

    `fail_open` lets everybody through where the cadence ledger cannot be read; the default is to send to nobody.
    `shard_rows` is how many users one worker sends to, `chunk_rows` to how many of them it announces its requests at
    once, `send_rate` the messages a second that FCM's project quota allows. `api_origins` are the origins whose pages
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
    api_origins: tuple[str, ...] = ()
