"""Reads the filters of a workspace: `[filters.NAME]` and `[filter_queries]` of tminus.toml."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_args

from audience_jobs.contract import Freshness
from audience_jobs.errors import BadWorkspace
from audience_jobs.workspace.filters import USER_IDS, VALUE, Filter, Kind, parameters
from audience_jobs.workspace.toml_file import Keys, Problem, TomlFile, shown, suggestion

KEYS = ("filters", "filter_queries")
_KINDS: tuple[Kind, ...] = get_args(Kind)
_OF_ALL = ("kind", "sql", "words", "old", "freshness")
_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "days": ("less_than",),
    "count": ("unit", "at_most", "words_between"),
    "yes_no": ("words_if_not", "old_yes", "old_no"),
    "instant": (),
}
_OTHER = ("less_than", "at_most")
_TEXTS = ("sql", "words", "unit", "words_if_not", "words_between", *_OTHER)
_LISTS = ("old", "old_yes", "old_no")
_NEEDED = ("sql", "words", "unit", "words_if_not")
_FRESHNESS = ("table", "column", "hours")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_QUERY_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TAKEN = (USER_IDS, "customScript", "filters", "dataPacks", "customQuery", "where", "with", "testMode")
"""The fields of `audienceCriteria`."""
_TAKEN_PARAMETERS = ("now", "user_ids")


def read_filters(file: TomlFile) -> Mapping[str, Filter]:
    """Return the filters of tminus.toml by their names. Raises BadWorkspace with everything that is wrong in them."""
    reading = _Reading(file)
    if reading.problems:
        raise BadWorkspace(map(str, sorted(reading.problems)))
    return reading.filters


def problems_of(file: TomlFile) -> Sequence[Problem]:
    """Return everything that is wrong in the filters of tminus.toml."""
    return _Reading(file).problems


class _Reading:
    """Reads queries, then filters, and notes in `problems` what is wrong."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self.problems: list[Problem] = []
        self._queries = dict(self._read_queries())
        self.filters = {name: self._filter(name, table) for name, table in self._tables()}
        self._check_together()

    def _read_queries(self) -> Iterator[tuple[str, str]]:
        written = self._file.content.get("filter_queries", {})
        if not isinstance(written, dict):
            self._note(("filter_queries",), f"is {shown(written)}: write each query below [filter_queries]")
            return
        for name, sql in written.items():
            keys = ("filter_queries", name)
            if not _QUERY_NAME.fullmatch(name):
                self._note(keys, "is not a name: write lower case letters, digits and _, no digit first")
            if not isinstance(sql, str) or not sql.strip():
                self._note(keys, f"is {'empty' if sql == '' else shown(sql)}: write a SELECT in quotes")
            elif parameters(sql):
                self._note(keys, f"reads ${parameters(sql)[0]}: only the sql of a filter reads its value")
            else:
                yield name, sql.strip()

    def _tables(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        written = self._file.content.get("filters", {})
        if not isinstance(written, dict):
            self._note(("filters",), f"is {shown(written)}: write each filter below a header, as in [filters.minAge]")
            return
        for name, table in written.items():
            keys = ("filters", name)
            if not _NAME.fullmatch(name):
                self._note(keys, "is not a name: a filter's name has up to 60 letters, digits and _, a letter first")
            if not isinstance(table, dict):
                self._note(keys, f"is {shown(table)}: write its kind, sql and words below [filters.{name}]")
            elif (kind := table.get("kind")) not in _KINDS:
                given = "is missing" if kind is None else f"is {shown(kind)}"
                self._note((*keys, "kind"), f"{given}: write one of {', '.join(_KINDS)}")
            else:
                yield name, table

    def _filter(self, name: str, table: Mapping[str, Any]) -> Filter:
        keys, kind = ("filters", name), cast("Kind", table["kind"])
        known = (*_OF_ALL, *_OF_KIND[kind])
        for key in table:
            if key not in known:
                self._note((*keys, key), f"unknown key of kind {kind}{suggestion(key, known)}")
        texts = {key: self._text((*keys, key), table.get(key)) for key in _TEXTS if key in known}
        lists = {key: self._names((*keys, key), table.get(key, [])) for key in _LISTS if key in known}
        self._check_sql(keys, kind, texts["sql"])
        self._check_words(keys, kind, texts)
        written: dict[str, Any] = {**texts, **lists}
        freshness = self._freshness((*keys, "freshness"), table.get("freshness"))
        queries = tuple(self._needed(texts["sql"]))
        return Filter(name=name, kind=kind, queries=queries, freshness=freshness, **written)

    def _text(self, keys: Keys, value: object) -> str:
        if value is None:
            if keys[-1] in _NEEDED:
                self._note(keys, "is missing: write a text in quotes")
            return ""
        if not isinstance(value, str) or not value.strip() or (keys[-1] != "sql" and not value.isprintable()):
            self._note(keys, f"is {'empty' if value == '' else shown(value)}: write a text in quotes")
            return ""
        return value.strip()

    def _names(self, keys: Keys, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self._note(keys, f"is {shown(value)}: write a list of texts in quotes")
            return ()
        return tuple(value)

    def _check_sql(self, keys: Keys, kind: Kind, sql: str) -> None:
        named, rule = parameters(sql), "reads its value by one name, as in $days"
        if kind == "yes_no":
            rule = "of yes or no reads no value: it says who fits a yes"
        if sql and len(named) != (0 if kind == "yes_no" else 1):
            given = ", ".join(f"${name}" for name in named) or "no value"
            self._note((*keys, "sql"), f"reads {given}: a filter {rule}")
        for name in set(named).intersection(_TAKEN_PARAMETERS):
            self._note((*keys, "sql"), f"reads ${name}, which Tminus uses itself: call the value otherwise")

    def _check_words(self, keys: Keys, kind: Kind, texts: Mapping[str, str]) -> None:
        for key in ("words", "words_between"):
            text, wanted = texts.get(key, ""), kind != "yes_no"
            if text and (VALUE in text) is not wanted:
                self._note((*keys, key), f"{'lacks' if wanted else 'has'} {VALUE}, where the value is shown")
        if bool(texts.get("at_most")) is not bool(texts.get("words_between")):
            self._note(keys, "has one of at_most and words_between: write both, or neither")

    def _needed(self, sql: str) -> Iterator[str]:
        """Yield the queries that SQL reads, each after those that it reads itself."""
        wanted = set(re.findall(r"\w+", sql.lower()))
        for name, query in reversed(self._queries.items()):
            if name in wanted:
                wanted |= set(re.findall(r"\w+", query.lower()))
        yield from (f"{name} AS ({query})" for name, query in self._queries.items() if name in wanted)

    def _freshness(self, keys: Keys, value: object) -> Freshness | None:
        if value is None:
            return None
        table = value if isinstance(value, dict) else {}
        kinds = [type(table.get(key)) for key in _FRESHNESS]
        if set(table) != set(_FRESHNESS) or kinds != [str, str, int] or table["hours"] < 1:
            self._note(keys, 'has to be as in { table = "visits", column = "at", hours = 48 }')
            return None
        return Freshness(table=table["table"].lower(), column=table["column"].lower(), hours=table["hours"])

    def _check_together(self) -> None:
        names: dict[str, str] = dict.fromkeys(_TAKEN, "audienceCriteria")
        parameters: dict[str, str] = {}
        fresh = next((each.freshness for each in self.filters.values() if each.freshness), None)
        for filter_ in self.filters.values():
            keys = ("filters", filter_.name)
            for name in (filter_.name, *filter_.old):
                if name in names:
                    self._note(keys, f"the name {name} is already one of {names[name]}: choose another")
                names[name] = filter_.name
            name = filter_.parameter
            if name and (other := parameters.setdefault(name, filter_.name)) != filter_.name:
                self._note((*keys, "sql"), f"reads ${name}, as {other} does: call the value otherwise")
            if filter_.freshness not in (None, fresh):
                self._note((*keys, "freshness"), "differs from that of another filter: an audience has one")
            for key in _OTHER:
                self._check_other((*keys, key), filter_, getattr(filter_, key))

    def _check_other(self, keys: Keys, filter_: Filter, name: str) -> None:
        known = [each.name for each in self.filters.values() if each.kind == filter_.kind and each is not filter_]
        if name and name not in known:
            others = suggestion(name, known) if known else ""
            self._note(keys, f"{shown(name)} is not another filter of kind {filter_.kind}{others}")

    def _note(self, keys: Keys, reason: str) -> None:
        self.problems.append(self._file.problem(keys, reason))
