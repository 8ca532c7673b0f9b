"""Split an audience into parts, to try a push on some of its users first."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from functions.domain.audience.partition import read_records, user_id_of


def split(lines: Iterable[bytes], *, users: int, parts: int) -> Iterator[tuple[int, bytes]]:
    """Yield each record of a sorted audience file with `users` users, with the number of its part, from 0.

    The order is that of md5(user_id), which is independent of any property of a user. The same file is always split
    the same way. Sizes differ by at most 1 user, the larger parts first. All records of a user are in one part, and
    each part has the header.
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
    """Return the number of users in a sorted audience file: a user with several records counts once."""
    records = read_records(lines)
    next(records, None)
    found, previous = 0, None
    for record in records:
        user_id = user_id_of(record)
        found, previous = found + (user_id != previous), user_id
    return found


def part_sizes(users: int, parts: int) -> list[int]:
    """Return the number of users in each part: the first `users % parts` parts have one more than the others."""
    size, larger = divmod(users, parts)
    return [size + (part < larger) for part in range(parts)]
