"""Writes a condition as PostgreSQL that every engine is told in its own words; values are bound, never written.

Every expression here is true or false, never NULL, so that NOT means what people mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from audience_jobs.conditions.tree import AnyOf, Compared, Condition, Every, Happened, Named, Negated, Value
from audience_jobs.contract import Parameter
from audience_jobs.sql import quoted

_LONG = 5
"""A longer list is bound as one text with a line for each value: engines take seconds for thousands of parameters."""
_NOW = "CAST($now AS TIMESTAMP)"
_MONTH_AND_DAY = "substring(CAST(CAST({} AS DATE) AS TEXT), 6, 5)"


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A condition on rows of people: an expression over their alias, the models of events it reads, bound values.

    Values are whole numbers and texts, by the names under which the expression reads them.
    """

    sql: str
    events: frozenset[str]
    values: Mapping[str, int | str]


def compiled(condition: Condition, *, alias: str = "p") -> Compiled:
    """Return the expression that says whether the row `alias` of people, with its `user_id`, fits a condition."""
    writing = _Writing()
    sql = writing.condition(condition, alias)
    return Compiled(sql=sql, events=frozenset(writing.events), values=writing.values)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Expressions on one row of people that say whether a condition holds, and what the data have instead.

    `actual` is the column, or how many events count. `last` is when the last such event happened, also before the
    condition's last days; empty for a column.
    """

    holds: str
    actual: str
    last: str = ""


@dataclass(frozen=True, kw_only=True)
class AskedAll:
    """The expressions for several conditions, in their order, with the values that they read."""

    each: tuple[Asked, ...]
    values: Mapping[str, int | str]


def asked(conditions: Sequence[Compared | Happened], *, alias: str) -> AskedAll:
    """Return the expressions on the row `alias` of people, the only row of the table or query `alias`."""
    writing = _Writing()
    return AskedAll(each=tuple(writing.asked(each, alias) for each in conditions), values=writing.values)


class _Writing:
    def __init__(self) -> None:
        self.values: dict[str, int | str] = {}
        self.events: set[str] = set()

    def asked(self, condition: Compared | Happened, alias: str) -> Asked:
        holds = self.condition(condition, alias)
        if isinstance(condition, Compared):
            return Asked(holds=holds, actual=f"{alias}.{quoted(condition.column)}")
        mine = f"e.user_id IN (SELECT user_id FROM {alias})"  # noqa: S608 - our own name
        counted = f"SELECT count(*) {self._events(condition, condition.within_days)} AND {mine}"
        last = f"SELECT max(e.at) {self._events(condition, None)} AND {mine}"
        return Asked(holds=holds, actual=f"({counted})", last=f"({last})")

    def condition(self, condition: Condition, alias: str) -> str:
        if isinstance(condition, Every | AnyOf):
            return self._joined(condition, alias)
        if isinstance(condition, Negated):
            return f"NOT {self.condition(condition.condition, alias)}"
        if isinstance(condition, Named):
            return self.condition(condition.condition, alias)
        if isinstance(condition, Happened):
            return self._happened(condition, alias)
        return self._compared(condition, f"{alias}.{quoted(condition.column)}")

    def _joined(self, condition: Every | AnyOf, alias: str) -> str:
        if not condition.conditions:
            return "TRUE"
        word = " AND " if isinstance(condition, Every) else " OR "
        return f"({word.join(self.condition(each, alias) for each in condition.conditions)})"

    def _happened(self, condition: Happened, alias: str) -> str:
        """Select users with enough events. If none is enough, leave out users with too many."""
        if condition.at_least == 0:
            if condition.at_most is None:
                return "TRUE"
            return f"NOT {alias}.user_id IN ({self._counted(condition, f'> {self._bound(condition.at_most)}')})"
        having = f">= {self._bound(condition.at_least)}"
        if condition.at_most is not None:
            having += f" AND count(*) <= {self._bound(condition.at_most)}"
        return f"{alias}.user_id IN ({self._counted(condition, having)})"

    def _counted(self, condition: Happened, having: str) -> str:
        self.events.add(condition.model)
        rows = f"SELECT e.user_id {self._events(condition, condition.within_days)}"
        return f"{rows} GROUP BY e.user_id HAVING count(*) {having}"

    def _events(self, condition: Happened, within_days: int | None) -> str:
        """Return FROM and WHERE of the events that count, as `e`."""
        which = [f"e.user_id IS NOT NULL AND e.at <= {_NOW}"]
        if within_days:
            which.append(f"e.at >= {self._ago(within_days)}")
        if condition.where:
            which.append(self.condition(condition.where, "e"))
        return f"FROM {quoted(condition.model)} e WHERE {' AND '.join(which)}"

    def _compared(self, condition: Compared, column: str) -> str:
        op, values = condition.op, condition.values
        if op in ("empty", "not_empty"):
            empty = _empty(column, condition.type)
            return empty if op == "empty" else f"NOT {empty}"
        if op in _NEGATIONS:
            positive = Compared(column=condition.column, type=condition.type, op=_NEGATIONS[op], values=values)
            return f"NOT {self._compared(positive, column)}"
        return f"coalesce({self._positive(condition, column)}, FALSE)"

    def _positive(self, condition: Compared, column: str) -> str:
        if condition.op == "within_days":
            return self._within(condition, column)
        if len(condition.values) > _LONG and not any("\n" in str(value) for value in condition.values):
            listed = self._text("\n".join(map(str, condition.values)))
            return f"{column} IN (SELECT g.v FROM unnest(string_to_array({listed}, '\n')) AS g(v))"  # noqa: S608 (bound)
        bound = [self._value(value) for value in condition.values]
        if condition.op == "anniversary_in_days":
            return _anniversary(column, bound[0])
        if condition.op == "one_of":
            return f"{column} IN ({', '.join(bound)})"
        written = _IN_LIST if condition.type == "text[]" else _POSITIVE[condition.op]
        return written.format(*bound, column=column)

    def _within(self, condition: Compared, column: str) -> str:
        ago = self._ago(condition.values[0])
        if condition.type == "date":
            return f"{column} BETWEEN CAST({ago} AS DATE) AND CAST({_NOW} AS DATE)"
        return f"{column} BETWEEN {ago} AND {_NOW}"

    def _ago(self, days: Value) -> str:
        return f"{_NOW} - {self._value(days)} * INTERVAL '1 day'"

    def _value(self, value: Value) -> str:
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int):
            return self._bound(value)
        if isinstance(value, float):
            return f"CAST({self._text(repr(value))} AS DOUBLE PRECISION)"
        if isinstance(value, datetime):
            return f"CAST({self._text(value.isoformat(sep=' '))} AS TIMESTAMP)"
        if isinstance(value, date):
            return f"CAST({self._text(value.isoformat())} AS DATE)"
        return self._text(value)

    def _bound(self, value: int) -> str:
        return f"CAST(${self._name(value)} AS BIGINT)"

    def _text(self, value: str) -> str:
        return f"CAST(${self._name(value)} AS TEXT)"

    def _name(self, value: int | str) -> str:
        name = f"where_{len(self.values) + 1}"
        self.values[name] = value
        return name


_NEGATIONS = {"is_not": "is", "none_of": "one_of", "not_within_days": "within_days"}
_POSITIVE = {
    "is": "{column} = {0}",
    "at_least": "{column} >= {0}",
    "at_most": "{column} <= {0}",
    "before": "{column} < {0}",
    "after": "{column} > {0}",
    "between": "{column} BETWEEN {0} AND {1}",
    "starts_with": "substring({column}, 1, length({0})) = {0}",
    "contains": "replace({column}, {0}, '') <> {column}",
}
_IN_LIST = "{0} IN (SELECT v FROM unnest({column}) AS t(v))"


def _empty(column: str, type_: str) -> str:
    if type_ in ("text", "id"):
        return f"coalesce({column}, '') = ''"
    return f"({column} IS NULL)"


def _anniversary(column: str, days: str) -> str:
    """Compare month and day with those of a day to come; who was born on 29 February celebrates on 28 February."""
    day, day_after = (f"{_NOW} + ({days} + {more}) * INTERVAL '1 day'" for more in (0, 1))
    its, that, next_ = (_MONTH_AND_DAY.format(each) for each in (column, day, day_after))
    return f"({its} = {that} OR ({its} = '02-29' AND {that} = '02-28' AND {next_} = '03-01'))"


def bound(values: Mapping[str, int | str]) -> Iterator[Parameter]:
    """Yield the parameters of a job that have the values of conditions."""
    for name, value in values.items():
        kind = "integer" if isinstance(value, int) else "text"
        yield Parameter(name=name, type=kind, default=value, meaning="as in the recipe")  # type: ignore[arg-type]
