"""Who got the pushes of a test: named where they are test people, with the platforms of their devices."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from functions.domain.errors import BadAudience
from functions.domain.execution.execution import Execution
from functions.domain.ids import canonical_user_id
from functions.domain.push.outcomes import SENT
from functions.domain.push.shard import IndexedFile
from functions.ports import Ports
from functions.usecases.people.testers import PLATFORMS, sorted_platforms
from functions.usecases.timeline.built_pushes import read_built


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A user of a test: `name` is the user id for a user who is no named test person."""

    name: str
    platforms: Sequence[str]
    got_it: bool


def tested_people(ports: Ports, execution: Execution) -> list[Tested]:
    """Return the users of a test in the order of their names; none once its files were deleted."""
    names = {each.key: each.name for each in ports.testers.all()}
    platforms: dict[str, list[str]] = {}
    got: dict[str, bool] = {}
    built = read_built(ports, execution)
    outcomes = {shard.push: shard.outcomes for shard in built.shards if shard.test}
    try:
        for files in built.pushes:
            for row in _rows(ports, files.test.devices):
                on, platform = platforms.setdefault(canonical_user_id(row[0]), []), row[2].lower()
                if row[1] and PLATFORMS.get(platform, platform) not in on:
                    on.append(PLATFORMS.get(platform, platform))
            codes = outcomes.get(files.push, b"")
            for row, code in zip(_rows(ports, files.test.rows), codes, strict=False):
                user = canonical_user_id(row[0])
                got[user] = got.get(user, False) or code == SENT
    except BadAudience:
        return []
    found = [
        Tested(name=names.get(user, user), platforms=sorted_platforms(platforms.get(user, [])), got_it=sent)
        for user, sent in got.items()
    ]
    return sorted(found, key=lambda each: each.name.casefold())


def _rows(ports: Ports, file: IndexedFile) -> Iterable[list[str]]:
    rows = csv.reader(line.decode("utf-8") for line in ports.files.lines(file.stored))
    next(rows, None)
    return list(rows)
