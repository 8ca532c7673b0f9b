"""Proposes which tables and columns of a source are the people and their devices."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from audience_jobs.schema import DEVICES
from audience_jobs.sql import UUID
from audience_jobs.workspace.catalog import Catalog, FoundColumn, FoundTable
from audience_jobs.workspace.guess import Meaning, is_fcm_token, mostly, names_a_token

_MOST_PAIRS = 8
ENOUGH = 0.5
"""The part of the ids of users elsewhere that a table has to know, to be that of the people."""
_ALMOST_ALL = 0.9
"""The part of a table's rows that have an id of their own, where some have none or repeat one."""
_UUID = re.compile(UUID)
_PEOPLE = re.compile(
    r"user|member|people|person|customer|player|reader|account|profile|subscriber|client|contact|gamer|buyer|patient"
    r"|student|guest|rider|driver|listener|viewer|learner|owner",
    re.IGNORECASE,
)
_DEVICES = re.compile(r"device|token|phone|install|push|handset|endpoint|registration", re.IGNORECASE)
_PERSONAL: frozenset[Meaning] = frozenset({"email", "phone", "time_zone", "locale"})


class Counts(NamedTuple):
    """What the whole of a table says: its rows, its distinct ids, and how many of the given ids it has."""

    rows: int
    distinct: int
    covered: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A column of device registrations that may hold the ids of users, and the column of people that it refers to."""

    devices: FoundTable
    user: FoundColumn
    people: FoundTable
    id: FoundColumn

    @property
    def given(self) -> Sequence[str]:
        """Some of the ids that the devices have, each once."""
        return sorted({canonical_id(value) for value in self.user.values if value})


Count = Callable[[Sequence[Pair]], Sequence[Counts]]
"""Counts, for pairs, the rows and ids of the people's table, and how many of the given ids are among them."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What seems to be the people, and their devices; None where nothing does.

    `user` is the column of the devices' table with the ids of users. Where `repeated`, the people's table has several
    rows for some ids. `doubt` says why the people may be others, and is empty where nothing speaks for that. Where
    tokens were found, but not whose they are, `devices` and `token` are there without `user`.
    """

    people: FoundTable | None = None
    id: FoundColumn | None = None
    repeated: int = 0
    devices: FoundTable | None = None
    user: FoundColumn | None = None
    token: FoundColumn | None = None
    covered: float = 1.0
    doubt: str = ""


def propose(catalog: Catalog, count: Count) -> Proposal:
    """Return what of a source seems to be people and devices."""
    for devices, token in _tokens(catalog):
        pairs = sorted(_pairs(catalog, devices, token), key=_hints, reverse=True)[:_MOST_PAIRS]
        if not pairs:
            continue
        judged = [(_score(pair, counts), pair, counts) for pair, counts in zip(pairs, count(pairs), strict=True)]
        _, pair, counts = max(judged, key=lambda each: each[0])
        covered = counts.covered / max(len(pair.given), 1)
        if pair.given and covered < ENOUGH:
            continue
        return Proposal(
            people=pair.people,
            id=pair.id,
            repeated=counts.rows - counts.distinct,
            devices=devices,
            user=pair.user,
            token=token,
            covered=covered,
            doubt="" if _is_named_after(pair) else _doubt(catalog, pair.people),
        )
    found = _without_devices(catalog)
    tokens = [(table, column) for table, column in _tokens(catalog) if column.guess.meaning == "token"]
    return replace(found, devices=tokens[0][0], token=tokens[0][1]) if tokens else found


def canonical_id(value: str) -> str:
    """Return an id as engines compare it: a UUID in lower case, and without white space around it."""
    return value.strip().lower() if _UUID.fullmatch(value.strip()) else value.strip()


def all_uuids(values: Sequence[str | None]) -> bool:
    """Whether there are ids, and all are UUIDs."""
    filled = [value for value in values if value]
    return bool(filled) and all(_UUID.fullmatch(value.strip()) for value in filled)


def is_id(column: FoundColumn) -> bool:
    """Whether a column may hold ids."""
    return column.type in ("id", "integer", "text") and column.guess.meaning is None


def id_kind(values: Sequence[str | None]) -> str:
    """Return what most ids look like, `uuid`, `number` or `text`, and "" without any: only like finds like."""
    filled = [value.strip() for value in values if value]
    if not filled:
        return ""
    if mostly(filled, _UUID.fullmatch):
        return "uuid"
    return "number" if mostly(filled, str.isdecimal) else "text"


def singular(table: str) -> str:
    """Return what one row of a table is called, in lower case, as the English language has it mostly."""
    name = table.lower()
    return name[:-3] + "y" if name.endswith("ies") else name.rstrip("s")


def names_people(name: str) -> bool:
    """Whether a name of a table or column is one that people have."""
    return _PEOPLE.search(name) is not None


def column_meaning(table: FoundTable, meaning: Meaning) -> FoundColumn | None:
    """Return the first column with a meaning."""
    return next((column for column in table.columns if column.guess.meaning == meaning), None)


def _without_devices(catalog: Catalog) -> Proposal:
    """Propose people alone: the table with an id of its own that says most about persons."""
    found = [
        (_likeness(table), -place, table, column)
        for place, table in enumerate(catalog.tables)
        for column in _ids(table)[:1]
    ]
    if not found:
        return Proposal()
    *_, table, column = max(found, key=lambda each: each[:2])
    return Proposal(people=table, id=column, doubt=_doubt(catalog, table))


def _likeness(table: FoundTable) -> float:
    """Return how much the name and the values of a table say that its rows are persons."""
    return 2.0 * bool(_PEOPLE.search(table.name)) + _personal(table)


def _doubt(catalog: Catalog, people: FoundTable) -> str:
    """Return why a table may not be that of the people; empty where its name or values say that it is."""
    if _likeness(people):
        return ""
    others = [table for table in catalog.tables if _likeness(table) and not _ids(table)]
    if not others:
        return "neither its name nor its values say so"
    return f"{max(others, key=_likeness).name} looks more like them, but no column of it has an id in each row"


def _tokens(catalog: Catalog) -> Iterator[tuple[FoundTable, FoundColumn]]:
    """Yield the columns that may hold device tokens, the likeliest first."""
    found = [
        (_token_score(table, column), -place, table, column)
        for place, table in enumerate(catalog.tables)
        for column in table.columns
        if column.guess.meaning == "token" or (names_a_token(column.name) and column.type == "text")
    ]
    yield from ((table, column) for *_, table, column in sorted(found, key=lambda each: each[:2], reverse=True))


def _token_score(table: FoundTable, column: FoundColumn) -> float:
    filled = [value for value in column.values if value]
    real = sum(map(is_fcm_token, filled)) / max(len(filled), 1)
    platform = column_meaning(table, "platform") is not None
    return 4 * real + 2 * (column.guess.meaning == "token") + 2 * platform + bool(_DEVICES.search(table.name))


def _pairs(catalog: Catalog, devices: FoundTable, token: FoundColumn) -> Iterator[Pair]:
    """Yield each way to join a table of people to the devices."""
    users = [column for column in devices.columns if column is not token and is_id(column)]
    for people in catalog.tables:
        for id_ in _ids(people):
            if people is devices:
                if id_.guess.unique or not id_.values:
                    yield Pair(devices=devices, user=id_, people=people, id=id_)
                continue
            yield from (
                Pair(devices=devices, user=user, people=people, id=id_)
                for user in users
                if id_kind(user.values) in ("", id_kind(id_.values))
            )


def _ids(table: FoundTable) -> list[FoundColumn]:
    """Return the columns that may identify the rows of a table, the likeliest first; only sending reads `devices`."""
    if table.name.lower() == DEVICES:
        return []
    found = [column for column in table.columns if is_id(column) and (not column.values or _identifies(column))]
    return sorted(found, key=lambda column: (not column.guess.unique, column.type != "id"))


def _identifies(column: FoundColumn) -> bool:
    """Whether each row of a sample has a value of its own; of numbers and UUIDs, a few may be missing or repeated."""
    own = len({value for value in column.values if value})
    almost = own >= _ALMOST_ALL * len(column.values) and (column.type == "id" or id_kind(column.values) != "text")
    return column.guess.unique or almost


def _hints(pair: Pair) -> float:
    """Return what names and samples say for a pair."""
    known = {canonical_id(value) for value in pair.id.values if value}
    overlap = sum(1 for value in pair.given if value in known) / max(len(pair.given), 1)
    itself = pair.people is pair.devices
    return (
        2 * overlap
        + _named_alike(pair)
        + bool(_PEOPLE.search(pair.people.name))
        + _personal(pair.people)
        - 1.5 * bool(_DEVICES.search(pair.people.name))
        - (itself and not _personal(pair.people))
    )


def _named_alike(pair: Pair) -> float:
    user, id_, people = (name.lower() for name in (pair.user.name, pair.id.name, pair.people.name))
    if pair.people is pair.devices:
        return 0.5 * (id_ in ("id", "user_id", "uid"))
    stem = singular(people)
    refers = stem in user or user == id_ or bool(_PEOPLE.search(user))
    unnamed = not refers and pair.user.type != "id"
    # A table that refers to the people itself, by a column of the same name, is not that of the people.
    refers_too = user != id_ and any(column.name.lower() == user for column in pair.people.columns)
    return (
        1.5 * refers
        - (user == "id")
        - 2 * unnamed
        - 2 * refers_too
        + 0.5 * (id_ in ("id", user) or id_.startswith(stem))
    )


def _is_named_after(pair: Pair) -> bool:
    """Whether the ids of devices are named after the people, or as their own ids are."""
    user, id_ = pair.user.name.lower(), pair.id.name.lower()
    return singular(pair.people.name) in user or (user == id_ and user != "id")


def _personal(table: FoundTable) -> float:
    return 0.5 * min(2, sum(column.guess.meaning in _PERSONAL for column in table.columns))


def _score(pair: Pair, counts: Counts) -> float:
    covered = counts.covered / len(pair.given) if pair.given else ENOUGH
    almost = counts.distinct >= _ALMOST_ALL * counts.rows
    return 4 * covered + 0.5 * (counts.rows == counts.distinct) + 1.5 * almost + _hints(pair)


def sampled(pairs: Sequence[Pair]) -> Sequence[Counts]:
    """Count in the samples alone, where the source cannot be asked."""
    return [_sampled(pair) for pair in pairs]


def _sampled(pair: Pair) -> Counts:
    ids: Mapping[str, None] = dict.fromkeys(canonical_id(value) for value in pair.id.values if value)
    return Counts(rows=len(pair.id.values), distinct=len(ids), covered=sum(1 for value in pair.given if value in ids))
