"""Count distinct people over several pushes: audience files have the same order, so a merge finds repeats.

Memory does not grow with the files: only one row of each is read at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter

from functions.domain.audience.partition import read_records, user_id_of
from functions.domain.ids import user_digest
from functions.domain.push.outcomes import SENT
from functions.domain.push.shard import AudienceFile, PushFiles, Shard
from functions.ports import Ports

_Row = tuple[bytes, bool]
"""The digest of a row's user, and whether the user was sent to."""


def count_people(ports: Ports, audiences: Sequence[AudienceFile]) -> int:
    """Return the number of distinct users in all audiences; BadAudience if one cannot be read."""
    rows = [((digest, True) for digest in _digests(ports, audience)) for audience in audiences]
    return _people(rows)


def count_reached(ports: Ports, pushes: Sequence[PushFiles], shards: Sequence[Shard]) -> int:
    """Return the number of distinct users who were sent at least one live push; BadAudience if one cannot be read."""
    return _people([_outcomes(ports, files, shards) for files in pushes])


def _people(rows: Sequence[Iterable[_Row]]) -> int:
    return sum(any(found for _, found in group) for _, group in groupby(merge(*rows), key=itemgetter(0)))


def _outcomes(ports: Ports, files: PushFiles, shards: Sequence[Shard]) -> Iterator[_Row]:
    """Yield the rows of a push with their outcomes. Rows of partitions without a shard were not reached."""
    index, digests = files.live.rows.index, _digests(ports, files.live)
    planned = sorted((each for each in shards if each.push == files.push and not each.test), key=_first_partition)
    position = 0
    for shard in planned:
        start = index.rows_in(range(shard.partitions.start)) if shard.partitions.start else 0
        yield from ((digest, False) for digest in islice(digests, start - position))
        codes = shard.outcomes
        yield from ((digest, code == SENT) for digest, code in zip(islice(digests, len(codes)), codes, strict=True))
        position = start + len(codes)
    yield from ((digest, False) for digest in digests)


def _first_partition(shard: Shard) -> int:
    return shard.partitions.start


def _digests(ports: Ports, audience: AudienceFile) -> Iterator[bytes]:
    records = read_records(ports.files.lines(audience.rows.stored))
    return (user_digest(user_id_of(record)) for record in islice(records, 1, None))
