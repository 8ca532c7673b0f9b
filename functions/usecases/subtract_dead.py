"""Take dead device tokens out of a file of devices, before it is stored."""

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from functions.domain.dead_tokens import dead_keys, token_key
from functions.domain.ids import user_digest
from functions.domain.partition import PARTITIONS, partition_of
from functions.ports import Ports


def subtract_dead(ports: Ports, path: Path) -> int:
    """Empty the tokens that are dead, in `user_id,token,platform` sorted by md5 of user_id; return how many were.

    The rows stay, so that a user whose tokens are all dead is told from one who has none.
    """
    graves = ports.devices.graves(range(PARTITIONS))
    if not any(graves.values()):
        return 0
    now, subtracted = ports.clock.now(), 0
    living = path.with_name(f"{path.name}-living")
    with path.open(newline="", encoding="utf-8") as source, living.open("w", newline="", encoding="utf-8") as target:
        rows = csv.reader(source, strict=True)
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(next(rows))
        for partition, owned in _by_partition(rows):
            dead = dead_keys(graves[partition], now)
            for user_id, token, *rest in owned:
                gone = bool(dead) and token_key(token) in dead
                subtracted += gone
                writer.writerow([user_id, "" if gone else token, *rest])
    living.replace(path)
    return subtracted


def _by_partition(rows: Iterator[list[str]]) -> Iterator[tuple[int, Iterator[list[str]]]]:
    return groupby(rows, key=lambda row: partition_of(user_digest(row[0])))
