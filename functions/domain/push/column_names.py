"""Names of columns: which of them a text can use, and which one somebody meant by another."""

import re
from collections.abc import Collection
from difflib import get_close_matches

_USABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MEANING = (
    "a column's name has only letters a to z, digits and '_': rename a column such as 'First Name' to First_Name"
)


def is_usable(column: str) -> bool:
    """Say whether `[[var:column]]` can name a column."""
    return _USABLE.fullmatch(column) is not None


def same_name(written: str, columns: Collection[str]) -> str:
    """Return the column, usable or not, whose letters and digits are those of a name, as `FIRST_NAME` is `firstName`.

    Empty where there is none.
    """
    return next((column for column in columns if _core(column) == _core(written)), "")


def way_out(written: str, columns: Collection[str]) -> str:
    """Say what to write instead of a name that is not among the columns; what it suggests is accepted."""
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
