"""Templates: `[[var:column]]` and `[[var:column|fallback]]` in a title or a body; `links.py` has those in deep links.

Templates have no logic on purpose: a variable is the name of a column, never an expression.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from functions.domain.errors import BadTemplate
from functions.domain.push.column_names import MEANING, way_out

_VARIABLE = re.compile(r"\[\[var:([A-Za-z_][A-Za-z0-9_]*)(?:\|([^\[\]]*))?\]\]")
_BRACKETS = re.compile(r"\[\[|\]\]")


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A column's value, or the fallback if the value is empty. Without a fallback (None) the row is skipped."""

    column: str
    fallback: str | None

    @property
    def source(self) -> str:
        """The variable as written."""
        return f"[[var:{self.column}]]" if self.fallback is None else f"[[var:{self.column}|{self.fallback}]]"


@dataclass(frozen=True)
class Template:
    """A text with variables, ready to be rendered for each row of an audience."""

    parts: tuple[str | Variable, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a template; BadTemplate shows the malformed variable."""
        parts: list[str | Variable] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            parts += [_literal(text[end : match.start()]), Variable(column=match[1], fallback=match[2])]
            end = match.end()
        parts.append(_literal(text[end:]))
        return cls(tuple(part for part in parts if part != ""))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the template uses, in the order of their first use."""
        return tuple(dict.fromkeys(part.column for part in self.parts if isinstance(part, Variable)))

    @property
    def opening(self) -> str:
        """The literal text before the first variable."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    @property
    def source(self) -> str:
        """The text as written."""
        return "".join(part if isinstance(part, str) else part.source for part in self.parts)

    def require(self, columns: Collection[str], audience: str) -> None:
        """Raise BadTemplate if the template uses a column that the audience does not have."""
        for column in self.columns:
            if column not in columns:
                hint = way_out(column, columns)
                raise BadTemplate(f"[[var:{column}]] names no column of audience {audience!r}; {hint}")

    def filled(self, _: Variable, value: str, /) -> str:
        """Return the text that replaces a variable with this value or fallback."""
        return value

    def render(self, row: Mapping[str, str]) -> str | None:
        """Return the text for a row; None if a value is empty and has no fallback."""
        return self.renderer(tuple(row))(tuple(row.values()))

    def renderer(self, columns: Sequence[str]) -> Callable[[Sequence[str]], str | None]:
        """Return a function that renders rows, given as values in the order of `columns`.

        It is fast for many rows.
        """
        variables = [part for part in self.parts if isinstance(part, Variable)]
        slots = [(columns.index(variable.column), variable.fallback) for variable in variables]
        pattern = self._pattern

        def render(row: Sequence[str]) -> str | None:
            values = []
            for position, fallback in slots:
                value = row[position] or fallback
                if value is None:
                    return None
                values.append(value)
            return pattern % tuple(values)

        return render

    @property
    def _pattern(self) -> str:
        return "".join("%s" if isinstance(part, Variable) else part.replace("%", "%%") for part in self.parts)


def _literal(text: str) -> str:
    stray = _BRACKETS.search(text)
    if stray:
        near = text[max(0, stray.start() - 10) : stray.start() + 30]
        raise BadTemplate(
            f"malformed variable near {near!r}; write [[var:column]] or [[var:column|fallback]]; {MEANING}"
        )
    return text
