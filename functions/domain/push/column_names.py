"""Names of columns: which ones a text can use, and which one a wrong name probably means."""

import re
from collections.abc import Collection
from difflib import get_close_matches

_USABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MEANING = (
    "a column's name has only letters a to z, digits and '_': rename a column such as 'First Name' to First_Name"
)


def is_usable(column: str) -> bool:
    """Return whether `[[var:column]]` can name a column."""
    return _USABLE.fullmatch(column) is not None


def same_name(written: str, columns: Collection[str]) -> str:
    """Return the column that differs from a name only in case and punctuation, as `firstName` from `FIRST_NAME`.

    Empty where there is none.
    """
    return next((column for column in columns if _core(column) == _core(written)), "")


def way_out(written: str, columns: Collection[str]) -> str:
    """Say what to write instead of an unknown column. The suggestion is always accepted."""
    near = same_name(written, columns) or next(iter(get_close_matches(written, columns, n=1)), "")
    if is_usable(near):
        return f"did you mean {near!r}?"
    if near:
        return f"rename the column {near!r} to {_renamed(near, written)} where the audience is made: {_RULE}"
    usable = [column for column in columns if is_usable(column)]
    return f"its columns are {', '.join(usable)}"


_RULE = "a text can use names of letters a to z, digits and '_'"


def _renamed(column: str, written: str) -> str:
    if _core(column) == _core(written):
        return written
    name = re.sub(r"[^A-Za-z0-9]+", "_", column).strip("_")
    return name if is_usable(name) else written


def _core(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
