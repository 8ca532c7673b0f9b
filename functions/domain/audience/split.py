"""Splitting an audience into parts, for trying a push on some of its users first."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from functions.domain.audience.partition import read_records, user_id_of


def split(lines: Iterable[bytes], *, users: int, parts: int) -> Iterator[tuple[int, bytes]]:
    """Yield each record of a sorted audience file of so many users with the number of its part, from 0.

    Parts follow each other in the order of md5(user_id), which has nothing to do with who a user is; the same file is
    split the same way each time. Their numbers of users differ by at most 1, the larger parts first. All records of a
    user are in one part, and the header is in each.
    """
    records = read_records(lines)
    header = next(records, b"")
    yield from ((part, header) for part in range(parts))
    ends = list(accumulate(part_sizes(users, parts)))
    place, previous = -1, None
    for record in records:
        user_id = user_id_of(record)
        if user_id != previous:
            place, previous = place + 1, user_id
        yield bisect_right(ends, place), record


def count_users(lines: Iterable[bytes]) -> int:
    """Return how many users a sorted audience file holds: who has several records counts once."""
    records = read_records(lines)
    next(records, None)
    found, previous = 0, None
    for record in records:
        user_id = user_id_of(record)
        found, previous = found + (user_id != previous), user_id
    return found


def part_sizes(users: int, parts: int) -> list[int]:
    """Return how many users each part holds: the first `users % parts` parts have one more than the others."""
    size, larger = divmod(users, parts)
    return [size + (part < larger) for part in range(parts)]
