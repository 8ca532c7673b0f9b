"""Where the values of a JSON document stand, so that an error can name the line."""

import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

_SKIPPED = re.compile(r"[\s:,]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_Path = tuple[str | int, ...]


def line_of(text: str, field: str) -> int:
    """Return the line of a field of valid JSON, as `pushSequence[0].title`, or else of what it stands in."""
    wanted: _Path = tuple(int(number) if number else name for number, name in _STEP.findall(field))
    lines = dict(_places(text))
    known = (lines[wanted[:length]] for length in range(len(wanted), 0, -1) if wanted[:length] in lines)
    return text.count("\n", 0, next(known, 0)) + 1


def _places(text: str) -> Iterator[tuple[_Path, int]]:
    """Yield the path of each value, and the offset of its key, or of itself in a list."""
    open_: list[list[str | int]] = []  # the steps to where we are: a key or a number for each bracket
    at, key = 0, False
    while (at := _skip(text, at)) < len(text):
        start, mark = at, text[at]
        if mark in "]}":
            open_.pop()
            key = bool(open_) and isinstance(open_[-1][0], str)
            at += 1
            continue
        if key and mark == '"':
            open_[-1][0], at = scanstring(text, at + 1)
            yield tuple(step for (step,) in open_), start
            key = False
            continue
        if open_ and isinstance(open_[-1][0], int):
            open_[-1][0] += 1
            yield tuple(step for (step,) in open_), start
        if mark in "[{":
            open_.append([-1 if mark == "[" else ""])
            at, key = at + 1, mark == "{"
            continue
        at = scanstring(text, at + 1)[1] if mark == '"' else _end(text, at)
        key = bool(open_) and isinstance(open_[-1][0], str)


def _skip(text: str, at: int) -> int:
    found = _SKIPPED.match(text, at)
    return found.end() if found else at


def _end(text: str, at: int) -> int:
    found = _SCALAR.match(text, at)
    return found.end() if found else at + 1
