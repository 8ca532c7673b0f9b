"""Send again to device tokens recorded as dead: those of a user, one token, or all buried since an instant."""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.domain.audience.dead_tokens import SUBJECT, lift, token_key
from functions.domain.audience.partition import PARTITIONS, partition_of
from functions.domain.audit import Action
from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import is_user_id, user_key
from functions.domain.instants import instant
from functions.ports import Ports
from functions.usecases.deeds import deed_now

_MOST_DEVICES = 100
"""An upper bound of devices per person."""


@dataclass(frozen=True, kw_only=True)
class Graves:
    """The selection of graves, by exactly one of the three fields. `buried_since` is an instant with its zone."""

    user_id: str = ""
    token: str = ""
    buried_since: str = ""


def lift_graves(ports: Ports, graves: Graves, *, by: str, dry_run: bool) -> int:
    """Delete the records of dead tokens, and return their number. A dry run only counts them.

    A user's tokens come from the user data. The audit log records the caller before the change. A token that FCM
    reports as unregistered is buried again. BadFields names invalid fields.
    """
    partitions, chosen = _chosen(ports, graves)
    found = {
        partition: count
        for partition, packed in ports.devices.graves(partitions).items()
        if (count := lift(packed, **chosen)[1])
    }
    if dry_run or not found:
        return sum(found.values())
    deed = deed_now(ports, by, Action.LIFTED)
    ports.audit.add(SUBJECT, deed, {**_said(graves), "graves": sum(found.values())})
    for partition in found:
        ports.devices.bury(partition, partial(_without, chosen=chosen))
    return sum(found.values())


def _without(graves: bytes, *, chosen: dict[str, Any]) -> bytes:
    return lift(graves, **chosen)[0]


def _chosen(ports: Ports, graves: Graves) -> tuple[range, dict[str, Any]]:
    """Return the partitions to read, and the selection of graves for `lift`."""
    given = [name for name, value in vars(graves).items() if value]
    if len(given) != 1:
        reason = f"give exactly one of userId, token and buriedSince, got {len(given)}"
        raise BadFields([FieldError("userId", reason)])
    if graves.token:
        return range(PARTITIONS), {"keys": {token_key(graves.token)}}
    if graves.buried_since:
        try:
            return range(PARTITIONS), {"since": instant(graves.buried_since)}
        except ValueError:
            reason = (
                f"must be an instant with its zone, such as 2026-11-23T18:00:00Z, got {shown(graves.buried_since)}"
            )
            raise BadFields([FieldError("buriedSince", reason)]) from None
    if not is_user_id(graves.user_id, ports.policy.user_id_format):
        reason = f"{shown(graves.user_id)} is not a valid user id (USER_ID_FORMAT is {ports.policy.user_id_format})"
        raise BadFields([FieldError("userId", reason)])
    partition = partition_of(user_key(graves.user_id))
    return range(partition, partition + 1), {"keys": _keys_of(ports, graves.user_id)}


def _keys_of(ports: Ports, user_id: str) -> Collection[bytes]:
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "devices.csv"
        ports.engine.write_devices_of([user_id], path, per_user=_MOST_DEVICES)
        with path.open(newline="", encoding="utf-8") as file:
            return {token_key(row["token"]) for row in csv.DictReader(file, strict=True)}


def _said(graves: Graves) -> dict[str, str]:
    """Return the entry for the audit log, with the token's key instead of the token."""
    if graves.token:
        return {"tokenKey": token_key(graves.token).hex()}
    return {"userId": graves.user_id} if graves.user_id else {"buriedSince": graves.buried_since}
