"""Whole numbers as exports write them: pandas and spreadsheets add `.0` where a column has gaps."""

import re

_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?")


def whole_number(written: object) -> object:
    """Return the whole number that a number or a text is, such as `3.0`; anything else as it is.

    A comma is refused with everything else: it may stand before thousands or before a fraction.
    """
    if isinstance(written, float) and written.is_integer():
        return int(written)
    found = _WHOLE.fullmatch(written.strip()) if isinstance(written, str) else None
    return int(found[1]) if found else written
