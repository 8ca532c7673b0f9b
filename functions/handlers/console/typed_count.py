"""A number of people that a person types to confirm a send."""

import re

_SEPARATORS = re.compile(r"[\s,.'\u2019]")
"""What separates thousands in any language: 1,200, 1.200, 1'200, and 1 200 with any space."""
_MOST_DIGITS = 11


def read_count(typed: str) -> int | None:
    """Return the whole number that was typed, such as 1200 for `1 200`; None for anything else."""
    digits = _SEPARATORS.sub("", typed)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS else None
