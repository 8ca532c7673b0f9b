"""Who got the pushes of a test: named where they are test people, with the platforms of their devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from functions.domain.audience.partition import read_rows
from functions.domain.errors import BadAudience
from functions.domain.execution.execution import Execution
from functions.domain.ids import canonical_user_id
from functions.domain.push.outcomes import SENT
from functions.domain.push.shard import IndexedFile, PushFiles
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
    """Return the users of a test in the order of their names; none once its audiences were deleted.

    The platforms are known until the cleanup, which deletes the devices.
    """
    names, got = {each.key: each.name for each in ports.testers.all()}, dict[str, bool]()
    built = read_built(ports, execution)
    outcomes = {shard.push: shard.outcomes for shard in built.shards if shard.test}
    for files in built.pushes:
        for row, code in zip(_rows(ports, files.test.rows), outcomes.get(files.push, b""), strict=False):
            user = canonical_user_id(row[0])
            got[user] = got.get(user, False) or code == SENT
    platforms = _platforms(ports, built.pushes)
    found = [
        Tested(name=names.get(user, user), platforms=sorted_platforms(platforms.get(user, ())), got_it=sent)
        for user, sent in got.items()
    ]
    return sorted(found, key=lambda each: each.name.casefold())


def _platforms(ports: Ports, pushes: Sequence[PushFiles]) -> Mapping[str, set[str]]:
    """Return the names of the platforms of each user with a device."""
    found: dict[str, set[str]] = {}
    for files in pushes:
        for user, token, platform, *_ in _rows(ports, files.test.devices):
            if token:
                found.setdefault(canonical_user_id(user), set()).add(PLATFORMS.get(platform.lower(), platform))
    return found


def _rows(ports: Ports, file: IndexedFile) -> list[list[str]]:
    """Return the rows of a file; none if it was deleted."""
    try:
        reader = read_rows(b"".join(ports.files.lines(file.stored)))
        return list(islice(reader, 1, None))
    except BadAudience:
        return []
