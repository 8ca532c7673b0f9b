"""Earlier pushes in the cadence ledger for the users of a campaign with a built audience."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from bench.campaign import EXECUTION_ID, SEND_AT
from functions.domain.audience.partition import PARTITIONS, read_rows
from functions.domain.cadence import ledger
from functions.domain.cadence import rules as cadence
from functions.domain.ids import USER_KEY_BYTES, user_digest
from functions.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A push that went to every n-th user, so many days before."""

    layer: int
    days_before: int
    every: int


LETS_ALL_THROUGH = (
    Earlier(layer=2, days_before=6, every=1),
    Earlier(layer=3, days_before=5, every=2),
    Earlier(layer=5, days_before=2, every=1),
)
"""A full week of pushes, after which no rule holds a user back."""
HOLDS_SOME_BACK = (*LETS_ALL_THROUGH, Earlier(layer=3, days_before=1, every=20))
"""The same, with one user of twenty in the cooldown of layer 3."""


def write_history(ports: Ports, pushes: tuple[Earlier, ...]) -> None:
    """Reserve earlier pushes for the users of the campaign."""
    for partition, keys in _users(ports):
        for number, earlier in enumerate(pushes):
            at = SEND_AT - timedelta(days=earlier.days_before)
            push = cadence.Push(key=f"earlier-{number}/1".encode(), layer=earlier.layer, at=at)
            users = keys[:: earlier.every]
            if users:
                ports.ledger.transact(
                    partition,
                    [push.day],
                    lambda days, push=push, users=users: (  # type: ignore[misc]
                        ledger.reserve(days, push, users, ()).writes,
                        None,
                    ),
                )


def _users(ports: Ports) -> Iterator[tuple[int, list[bytes]]]:
    files = ports.shards.push(EXECUTION_ID, 1)
    if files is None:
        raise RuntimeError("the audience is not built")
    rows = files.live.rows
    for partition in range(PARTITIONS):
        start, end = rows.index.byte_range(range(partition, partition + 1))
        data = ports.files.read(rows.stored, start, end)
        yield partition, [user_digest(row[0])[:USER_KEY_BYTES] for row in read_rows(data)]
