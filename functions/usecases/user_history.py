"""What a user was sent, as the cadence ledger remembers it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.domain.cadence import days_between
from functions.domain.errors import BadInput
from functions.domain.ids import is_user_id, user_key
from functions.domain.partition import partition_of
from functions.ports import Ports

if TYPE_CHECKING:
    from functions.domain.ledger import Reserved

MOST_DAYS = 90


def user_history(ports: Ports, user_id: str, *, until: datetime, days: int) -> Sequence["Reserved"]:
    """Return the pushes that a user was reserved in the days before an instant, the oldest first.

    Pushes of layers 1 and 4 are not in the ledger, and what failed for good was given back. BadInput for an id that
    is not valid or more than 90 days.
    """
    from functions.domain import ledger  # noqa: PLC0415 - numpy takes a fifth of a second to load

    if not is_user_id(user_id, ports.policy.user_id_format):
        raise BadInput(f"{user_id!r} is no valid user id (USER_ID_FORMAT is {ports.policy.user_id_format})")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"{days} days: at least 1 and at most {MOST_DAYS} can be looked back")
    key = user_key(user_id)
    wanted = days_between(until - timedelta(days=days), until)
    stored = ports.ledger.transact(partition_of(key), wanted, lambda packed: ({}, dict(packed)))
    return ledger.reserved(stored, key)
