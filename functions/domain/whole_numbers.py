"""Whole numbers in exports: pandas and spreadsheets add `.0` if a column has gaps.

To JSON `3.0` and `3` are the same integer (json-schema.org, "integer"), but not to Python.
"""

import re
from collections.abc import Mapping
from typing import Any

_LARGEST_EXACT = 2**53
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?")


def whole_number(written: object) -> object:
    """Return a number or text such as `3.0` as an integer; anything else unchanged.

    Commas are not accepted, because they may separate thousands or a fraction.
    """
    if isinstance(written, float) and written.is_integer():
        return int(written)
    found = _WHOLE.fullmatch(written.strip()) if isinstance(written, str) else None
    return int(found[1]) if found else written


def json_number(written: str) -> int | float:
    """Read a JSON number with a point or an exponent: 3.0 and 3e0 are the integer 3. For `parse_float`."""
    return _integer(float(written))


def with_integers(document: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a JSON object with its top-level whole numbers as integers."""
    return {name: _integer(value) if isinstance(value, float) else value for name, value in document.items()}


def _integer(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < _LARGEST_EXACT else number
