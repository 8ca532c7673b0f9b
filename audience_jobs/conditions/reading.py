"""Reads `audienceCriteria.where`: a tree of conditions over the columns of people and over events."""

from collections.abc import Mapping
from typing import Any

from audience_jobs import criteria_values as values
from audience_jobs.conditions.operators import MOST_DAYS, OPERATORS, read_values
from audience_jobs.conditions.tree import (
    EVERYBODY,
    AnyOf,
    Columns,
    Compared,
    Condition,
    Every,
    Happened,
    Named,
    Negated,
    Traits,
)
from audience_jobs.errors import BadCriteria, choices

_DEEPEST = 20
_MOST = 500
_MOST_TIMES = 1_000_000
_KINDS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "any": (),
    "not": (),
    "column": ("op", "value"),
    "did": ("times", "within_days", "where"),
    "did_not": ("within_days", "where"),
    "segment": ("where",),
}
"""The key that says which kind of condition an object is, and those that may stand beside it."""


def read_condition(written: object, traits: Traits, *, field: str = "where") -> Condition:
    """Read a condition; BadCriteria names the place and the reason of everything that is wrong.

    A place is a path as in `where.all[1].value`.
    """
    reading = _Reading(traits)
    condition = reading.condition(written, field, depth=0)
    if reading.errors:
        raise BadCriteria(reading.errors)
    return condition


class _Reading:
    def __init__(self, traits: Traits) -> None:
        self._traits = traits
        self._count = 0
        self.errors: list[tuple[str, str]] = []

    def condition(self, written: object, place: str, depth: int, event: str = "") -> Condition:
        """Read one condition: on people, or on the events of a model; one that cannot be read adds errors."""
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST:
            return self._wrong(place, f"has more than {_MOST} conditions, or is nested deeper than {_DEEPEST} levels")
        kind = self._kind(written, place)
        if kind is None or not isinstance(written, Mapping):
            return EVERYBODY
        for name in sorted(set(map(str, written)) - {kind, *_KINDS[kind]}):
            self._wrong(f"{place}.{name}", f"is unknown beside {kind}{choices(name, _KINDS[kind])}")
        if kind == "column":
            return self._compared(written, place, event)
        if kind == "segment":
            return self._named(written, place, depth, event)
        if kind in ("did", "did_not"):
            return self._happened(written, kind, place, depth, event)
        return self._combined(written[kind], kind, f"{place}.{kind}", depth + 1, event)

    def _combined(self, written: object, kind: str, place: str, depth: int, event: str) -> Condition:
        if kind == "not":
            return Negated(condition=self.condition(written, place, depth, event))
        if not isinstance(written, list):
            return self._wrong(place, f"must be a list of conditions, got {values.shown(written)}")
        each = tuple(self.condition(one, f"{place}[{at}]", depth, event) for at, one in enumerate(written))
        if kind == "all":
            return Every(conditions=each)
        return (
            AnyOf(conditions=each) if each else self._wrong(place, "is empty, so that no user fits: add a condition")
        )

    def _kind(self, written: object, place: str) -> str | None:
        if not isinstance(written, Mapping):
            self._wrong(place, f"must be a condition, an object, got {values.shown(written)}")
            return None
        kinds = [kind for kind in _KINDS if kind in written]
        if len(kinds) != 1:
            found = f"has {' and '.join(kinds)}" if kinds else f"is {values.shown(written)}"
            self._wrong(place, f"{found}: a condition has exactly one of the keys {', '.join(_KINDS)}")
            return None
        return kinds[0]

    def _compared(self, written: Mapping[str, Any], place: str, event: str) -> Condition:
        columns: Columns = self._traits.events[event] if event else self._traits.people
        name, op = written["column"], written.get("op")
        if not isinstance(name, str) or name not in columns:
            of = f"the model {event}" if event else "people"
            return self._wrong(f"{place}.column", f"is not a column of {of}{choices(str(name), tuple(columns))}")
        type_, operators = columns[name], OPERATORS.get(columns[name], {})
        if not isinstance(op, str) or op not in operators:
            return self._wrong(f"{place}.op", _no_operator(name, type_, op))
        takes = operators[op]
        if ("value" in written) == (takes == "nothing"):
            reason = "is too much: {} compares with nothing" if takes == "nothing" else "is missing: {} needs one"
            return self._wrong(f"{place}.value", reason.format(op))
        try:
            read = read_values(type_, takes, written.get("value"))
        except ValueError as error:
            return self._wrong(f"{place}.value", str(error))
        return Compared(column=name, type=type_, op=op, values=read)

    def _named(self, written: Mapping[str, Any], place: str, depth: int, event: str) -> Condition:
        """Read a segment with the conditions that it has. Saving a recipe writes these beside its name."""
        name = written["segment"]
        if event:
            return self._wrong(
                place, f"asks for a segment inside the conditions on {event}: put it beside them, in all"
            )
        if not isinstance(name, str) or not name:
            return self._wrong(f"{place}.segment", f"must be the ID of a segment, got {values.shown(name)}")
        if "where" not in written:
            reason = f"lacks the conditions of the segment {name!r}: save the recipe, which adds them"
            return self._wrong(f"{place}.where", reason)
        return Named(segment=name, condition=self.condition(written["where"], f"{place}.where", depth + 1))

    def _happened(self, written: Mapping[str, Any], kind: str, place: str, depth: int, event: str) -> Condition:
        model, events = written[kind], self._traits.events
        if event:
            return self._wrong(place, f"asks for events inside the conditions on {event}: put it beside them, in all")
        if not isinstance(model, str) or model not in events:
            return self._wrong(f"{place}.{kind}", f"is not a model of events{choices(str(model), tuple(events))}")
        days = self._whole(written, "within_days", place, 1, MOST_DAYS)
        where = self.condition(written["where"], f"{place}.where", depth + 1, model) if "where" in written else None
        least, most = (0, 0) if kind == "did_not" else self._times(written, place)
        return Happened(model=model, at_least=least, at_most=most, within_days=days, where=where)

    def _times(self, written: Mapping[str, Any], place: str) -> tuple[int, int | None]:
        if "times" not in written:
            return 1, None
        times, place = written["times"], f"{place}.times"
        if not isinstance(times, Mapping) or not times or set(times) - {"at_least", "at_most"}:
            self._wrong(place, f"must have at_least, at_most or both, and nothing else, got {values.shown(times)}")
            return 1, None
        least = self._whole(times, "at_least", place, 0, _MOST_TIMES) or 0
        most = self._whole(times, "at_most", place, 0, _MOST_TIMES)
        if most is not None and least > most:
            self._wrong(place, f"has at_least {least}, above at_most {most}, so that no user fits: swap them")
        return least, most

    def _whole(self, written: Mapping[str, Any], name: str, place: str, least: int, most: int) -> int | None:
        value = written.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._wrong(
                f"{place}.{name}", f"must be a whole number from {least} to {most:,}, got {values.shown(value)}"
            )
            return None
        return value if name in written else None

    def _wrong(self, place: str, reason: str) -> Condition:
        self.errors.append((place, reason))
        return EVERYBODY


def _no_operator(name: str, type_: str, op: object) -> str:
    operators = tuple(OPERATORS.get(type_, ()))  # type: ignore[call-overload]
    if not operators:
        return f"is not possible: {name} is {type_}, and no condition reads that"
    if op is None:
        return f"is missing{choices('', operators)}"
    return f"is not an operator of {name}, which is {type_}{choices(str(op), operators)}"
