"""Remove dead device tokens from a file of devices before it is stored, and keep the newest living ones."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from functions.domain.audience.dead_tokens import DeadTokens
from functions.domain.audience.partition import PARTITIONS, partition_of
from functions.domain.ids import user_digest
from functions.domain.push.languages import counted_as
from functions.domain.push.outcomes import has_opted_out
from functions.ports import Ports

SPARES = 4
"""Extra living tokens stored per user, in case the newest ones die before the push."""

_Row = list[str]


@dataclass(frozen=True, kw_only=True)
class Reachable:
    """The numbers of a file of devices: devices to send to, users whose tokens are all dead, and who opted out.

    `platforms` counts the devices to send to by platform, in lower case; `locales` by `languages.counted_as`.
    """

    devices: int
    dead_users: int
    opted_out: int
    platforms: Mapping[str, int] = field(default_factory=dict)
    locales: Mapping[str, int] = field(default_factory=dict)


class Graves:
    """The dead tokens at one time, for the files of one build."""

    def __init__(self, ports: Ports) -> None:
        now = ports.clock.now()
        packed = ports.devices.graves(range(PARTITIONS))
        self._dead = {partition: DeadTokens([graves], now) for partition, graves in packed.items()}
        self._per_user = ports.policy.devices_per_user

    @property
    def most_devices(self) -> int:
        """How many of a user's newest tokens to read, so that enough living ones remain."""
        return self._per_user + SPARES + max(map(len, self._dead.values()), default=0)

    def subtract(self, path: Path) -> Reachable:
        """Keep the newest living tokens of each user in a file of devices, sorted by md5 of user_id.

        A user whose tokens are all dead keeps one row with an empty token, which distinguishes the user from one
        without tokens. So does a user who opted out, whose row says so. Only one user's rows are in memory at a time.
        """
        dead_users = opted_out = 0
        platforms, locales = Counter[str](), Counter[str]()
        living = path.with_name(f"{path.name}-living")
        with (
            path.open(newline="", encoding="utf-8") as source,
            living.open("w", newline="", encoding="utf-8") as target,
        ):
            rows = csv.reader(source, strict=True)
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(next(rows))
            for user_id, owned in groupby(rows, key=itemgetter(0)):
                kept = self._kept(user_id, owned)
                writer.writerows(kept)
                alive, no_pushes = bool(kept[0][1]), has_opted_out(kept[0])
                dead_users += not alive and not no_pushes
                opted_out += no_pushes
                if alive:
                    sent_to = kept[: self._per_user]
                    platforms.update(row[2].lower() for row in sent_to)
                    locales[counted_as(kept[0][5])] += len(sent_to)
        living.replace(path)
        return Reachable(
            devices=platforms.total(),
            dead_users=dead_users,
            opted_out=opted_out,
            platforms=dict(platforms),
            locales=dict(locales),
        )

    def _kept(self, user_id: str, owned: Iterator[_Row]) -> list[_Row]:
        dead = self._dead[partition_of(user_digest(user_id))]
        newest = next(owned)
        alive: list[_Row] = []
        for row in (newest, *owned):
            if len(alive) < self._per_user + SPARES and not dead.has(row[1], row[3]):
                alive.append(row)
        user, _, *rest = newest
        return alive or [[user, "", *rest]]
