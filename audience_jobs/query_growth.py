"""Estimate how long the texts are that a query makes: joined with themselves again and again they fill any memory.

No engine stops in the middle of one text, neither for its time limit nor for its memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from audience_jobs.errors import RefusedQuery

MOST_CHARACTERS = 1_000_000
"""How long a text may become that a query makes, where each value of a table counts as `OF_COLUMN` characters."""
OF_COLUMN = 100
_JOINING = (exp.DPipe, exp.Concat, exp.ConcatWs)
_Lengths = Sequence[tuple[str, int]]


def check_growth(query: exp.Query) -> None:
    """Raise RefusedQuery for a query whose columns name their tables if a text in it may become too long."""
    lengths: dict[int, _Lengths] = {}
    for scope in traverse_scope(query):
        lengths[id(scope.expression)] = _outputs(scope, lengths)


def _outputs(scope: Scope, lengths: dict[int, _Lengths]) -> _Lengths:
    """Return the columns of a query with the lengths of their texts, after a look at all that it computes."""
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        sides = [lengths.get(id(side.expression), ()) for side in scope.set_operation_scopes]
        return [(of[0][0], max(length for _, length in of)) for of in zip(*sides, strict=False)]
    _longest([query], scope, lengths)
    selects = query.selects if isinstance(query, exp.Select) else []
    return [(each.alias_or_name, _length(each, scope, lengths)) for each in selects]


def _length(node: exp.Expr, scope: Scope, lengths: dict[int, _Lengths]) -> int:
    if isinstance(node, exp.Column):
        return _of_column(node, scope, lengths)
    if isinstance(node, exp.Literal):
        return len(node.name)
    if isinstance(node, exp.Query) and id(node) in lengths:
        return max((length for _, length in lengths[id(node)]), default=0)
    if isinstance(node, _JOINING):
        length = 0
        for part in _down_to(node, lambda each: not isinstance(each, _JOINING)):
            length += _length(part, scope, lengths)
    elif isinstance(node, exp.Replace):
        length = _replaced(node, scope, lengths)
    else:
        return _longest([node], scope, lengths)
    if length > MOST_CHARACTERS:
        raise RefusedQuery(f"makes texts of more than {MOST_CHARACTERS:,} characters: join or replace fewer texts")
    return length


def _down_to(node: exp.Expr, ends: Callable[[exp.Expr], bool]) -> Iterator[exp.Expr]:
    """Yield the nearest nodes below one that end the search, without recursion: chains of AND are deep."""
    waiting = list(node.iter_expressions())
    while waiting:
        each = waiting.pop()
        if ends(each):
            yield each
        else:
            waiting.extend(each.iter_expressions())


def _replaced(node: exp.Replace, scope: Scope, lengths: dict[int, _Lengths]) -> int:
    """Return the length of a text each character of which is replaced."""
    text, by = _length(node.this, scope, lengths), node.args.get("replacement")
    return text * max(1, _length(by, scope, lengths) if by is not None else 0)


def _longest(nodes: Iterable[exp.Expr], scope: Scope, lengths: dict[int, _Lengths]) -> int:
    """Return the length of the longest text that is read, joined or replaced in any of these nodes."""
    longest = 0
    for node in nodes:
        for part in _down_to(node, lambda each: _makes_text(each, lengths)):
            longest = max(longest, _length(part, scope, lengths))
    return longest


def _makes_text(node: exp.Expr, lengths: dict[int, _Lengths]) -> bool:
    known = isinstance(node, exp.Query) and id(node) in lengths
    return known or isinstance(node, (exp.Column, exp.Literal, exp.Replace, *_JOINING))


def _of_column(column: exp.Column, scope: Scope, lengths: dict[int, _Lengths]) -> int:
    within: Scope | None = scope
    while within is not None and column.table not in within.sources:
        within = within.parent
    source = within.sources[column.table] if within is not None else None
    known = lengths.get(id(source.expression), ()) if isinstance(source, Scope) else ()
    return max((length for name, length in known if name.lower() == column.name.lower()), default=OF_COLUMN)
