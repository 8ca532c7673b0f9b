"""A TOML file of a workspace, and the line in which each of its keys stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from audience_jobs.errors import BadWorkspace

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TOKEN = re.compile(
    r'''
    (?P<text>"""(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?\'{3,5})
    | (?P<key>"(?:\\.|[^"\\])*" | '[^']*' | [A-Za-z0-9_-]+)
    | (?P<open>[\[{]) | (?P<close>[\]}]) | (?P<equals>=) | (?P<end>\n)
    | (?P<rest>\#[^\n]* | .)
    ''',
    re.VERBOSE | re.DOTALL,
)
_LONGEST_SHOWN = 60
NOT_UTF_8 = "is not UTF-8: save the file as UTF-8"
Keys = tuple[str, ...]


@dataclass(frozen=True)
class TomlFile:
    """What a file holds; `path` is how errors call it."""

    path: Path
    text: str
    content: Mapping[str, Any]

    def problem(self, keys: Sequence[str], reason: str, *, label: str = "") -> "Problem":
        """Return what is wrong with the value at these keys; `label` is how people call it, if otherwise."""
        return Problem(self.path, self.line(tuple(keys)), f"{label or '.'.join(keys)}: {reason}")

    def line(self, keys: Keys) -> int:
        """Return the line where the value at these keys begins, or else that of what it stands in."""
        known = (self._lines[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in self._lines)
        return next(known, 1)

    @cached_property
    def _lines(self) -> Mapping[Keys, int]:
        lines: dict[Keys, int] = {}
        for keys, line in _keys(self.text):
            for length in range(1, len(keys) + 1):
                lines.setdefault(keys[:length], line)
        return lines


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in a line of a file, and the way out."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def read_toml(path: Path) -> TomlFile:
    """Read a file. Raises BadWorkspace where it is missing or not TOML in UTF-8."""
    return parse_toml(path, read_text(path))


def read_text(path: Path) -> str:
    """Return the text of a file of a workspace. Raises BadWorkspace where it is missing, closed or not UTF-8."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadWorkspace([f"{path}: there is no such file: docs/workspace.md says what it holds"]) from None
    except OSError as error:
        raise BadWorkspace([f"{path}: cannot be read: {error.strerror}"]) from None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadWorkspace([f"{path}:{line}: {NOT_UTF_8}"]) from None


def parse_toml(path: Path, text: str) -> TomlFile:
    """Read TOML that stands in a file. Raises BadWorkspace where it is no TOML."""
    try:
        return TomlFile(path, text, tomllib.loads(text))
    except RecursionError:
        raise BadWorkspace([f"{path}:1: is nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError is one, and so is a number of thousands of digits
        raise BadWorkspace([_syntax_error(path, text, str(error))]) from None


def suggestion(given: str, known: Sequence[str]) -> str:
    """Return the end of a message about an unknown name: the closest known one, or else all of them."""
    close = get_close_matches(given, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known: {', '.join(known)}"


def shown(value: object) -> str:
    """Show a value in a message: a text in quotes, anything else by its kind."""
    if isinstance(value, str):
        return f'"{value[:_LONGEST_SHOWN]}"' if value.isprintable() else "a text that cannot be shown"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = {dict: "a table", list: "a list", int: "a number", float: "a number"}
    return kinds.get(type(value), "a date or time")


def _syntax_error(path: Path, text: str, reason: str) -> str:
    place = _PLACE.search(reason)
    line = int(place[1]) if place and place[1] else text.rstrip("\n").count("\n") + 1
    return f"{path}:{line}: is not valid TOML: {' '.join(_PLACE.sub('', reason).split())}"


def _keys(text: str) -> Iterator[tuple[Keys, int]]:
    """Yield the keys of each header and each assignment, and its line. The text is known to be valid TOML.

    Keys inside of an inline table are left out.
    """
    table: Keys = ()
    written: list[str] = []
    line, depth, in_header, in_value = 1, 0, False, False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "key" and not in_value:
            written.append(_key(token[0]))
        elif kind == "equals" and not in_value:
            yield (*table, *written), line
            in_value = True
        elif kind == "open":
            in_header, depth = in_header or not in_value, depth + in_value
        elif kind == "close":
            depth -= in_value
        elif kind == "end" and not depth:
            if in_header:
                table = tuple(written)
                yield table, line
            written, in_header, in_value = [], False, False
        line += token[0].count("\n")
    if in_header:
        yield tuple(written), line


def _key(token: str) -> str:
    return str(tomllib.loads(f"key = {token}")["key"]) if token[0] in "\"'" else token
