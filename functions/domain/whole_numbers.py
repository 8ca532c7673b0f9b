"""Whole numbers as exports write them: pandas and spreadsheets add `.0` where a column has gaps.

JSON knows no difference between `3.0` and `3`: json-schema.org, "integer". Python does.
"""

import re
from collections.abc import Mapping
from typing import Any

_LARGEST_EXACT = 2**53
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?")


def whole_number(written: object) -> object:
    """Return the whole number that a number or a text is, such as `3.0`; anything else as it is.

    A comma is refused with everything else: it may stand before thousands or before a fraction.
    """
    if isinstance(written, float) and written.is_integer():
        return int(written)
    found = _WHOLE.fullmatch(written.strip()) if isinstance(written, str) else None
    return int(found[1]) if found else written


def json_number(written: str) -> int | float:
    """Read a number of JSON that has a point or an exponent: 3.0 and 3e0 are the integer 3. For `parse_float`."""
    return _integer(float(written))


def with_integers(document: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return an object of JSON, each of its own numbers that is whole as an integer."""
    return {name: _integer(value) if isinstance(value, float) else value for name, value in document.items()}


def _integer(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < _LARGEST_EXACT else number
