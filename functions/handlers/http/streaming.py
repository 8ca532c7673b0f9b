"""Answers that are sent in pieces."""

from collections.abc import Iterator
from itertools import chain


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Make the first piece now, so that an early failure becomes an error answer and not a truncated one."""
    return chain([next(pieces, b"")], pieces)
