"""Finds the column of each table that says which user a row is about."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from audience_jobs.schema import DEVICES
from audience_jobs.workspace.catalog import Catalog, FoundColumn, FoundTable
from audience_jobs.workspace.proposal import (
    ENOUGH,
    Proposal,
    canonical_id,
    id_kind,
    is_id,
    names_people,
    singular,
)

KnownIds = Callable[[Sequence[str]], frozenset[str] | None]
"""Returns those of the given ids that people have; None where the source cannot be asked."""
_MOST_COLUMNS, _MOST_IDS, _MOST_IDS_OF_ALL, _LONGEST_ID = 12, 200, 100_000, 128
_NO_NAMES = re.compile(r"id|_id|uuid|guid|key|code|number|no|name", re.IGNORECASE)
"""What a column may be called in tables of all kinds."""
_ALMOST_ALL = 0.9


class _Hint(IntEnum):
    """How much speaks for a column; numbers alone say nothing, because tables count their own rows alike."""

    NONE = 0
    VALUES = 1
    NAMED_LIKE_PEOPLE = 2
    NAMED_AFTER_PEOPLE = 3
    NAMED_AS_ELSEWHERE = 4


class _Candidate(NamedTuple):
    column: FoundColumn
    hint: _Hint


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A table and its column of user ids; without one, `reason` says why.

    It is `sure` where the column is named after the people, and not just like one of users.
    """

    table: FoundTable
    column: FoundColumn | None = None
    sure: bool = False
    reason: str = ""


def references(catalog: Catalog, proposal: Proposal, known: KnownIds) -> Sequence[Reference]:
    """Return the references of all tables but those of people and devices.

    A column is one by its name and its values: of those looked at, people have to have most. Where two columns of a
    table are equally good, neither is taken.
    """
    if proposal.people is None or proposal.id is None:
        return ()
    others = [
        table
        for table in catalog.tables
        if table is not proposal.people and table is not proposal.devices and table.name.lower() != DEVICES
    ]
    hinted = [(table, _hinted(table, proposal)) for table in others]
    count = sum(len(candidates) for _, candidates in hinted)
    most = min(_MOST_IDS, _MOST_IDS_OF_ALL // max(count, 1) + 1)
    ids = {each for _, candidates in hinted for one in candidates for each in _given(one.column, most)}
    people = known(sorted(ids)) if ids else frozenset()
    return [_reference(table, candidates, people, most, proposal.people) for table, candidates in hinted]


def _reference(
    table: FoundTable, candidates: Sequence[_Candidate], people: frozenset[str] | None, most: int, owner: FoundTable
) -> Reference:
    found = [one for one in candidates if _covers(_given(one.column, most), one.hint, people)]
    best = [one for one in found if one.hint == found[0].hint]
    if len(best) == 1:
        return Reference(table=table, column=best[0].column, sure=best[0].hint >= _Hint.NAMED_AFTER_PEOPLE)
    if best:
        names = " and ".join(one.column.name for one in best)
        return Reference(table=table, reason=f"{names} {'both' if len(best) == 2 else 'all'} refer to {owner.name}")
    return Reference(table=table, reason=f"no column refers to {owner.name}")


def _covers(given: Sequence[str], hint: _Hint, people: frozenset[str] | None) -> bool:
    """Whether people have the ids of a column; without values, or an answer, its name decides."""
    if not given or people is None:
        return hint >= _Hint.NAMED_AFTER_PEOPLE
    share = sum(each in people for each in given) / len(given)
    return share >= (ENOUGH if hint > _Hint.VALUES else _ALMOST_ALL)


def _hinted(table: FoundTable, proposal: Proposal) -> Sequence[_Candidate]:
    """Return the columns of a table that may refer to people, the likeliest first."""
    assert proposal.people is not None
    assert proposal.id is not None
    kind, found = id_kind(proposal.id.values), []
    for column in table.columns:
        own = id_kind(column.values)
        if is_id(column) and own in ("", kind) and _are_short(column) and (hint := _hint(column, own, proposal)):
            found.append(_Candidate(column, hint))
    return sorted(found, key=lambda one: one.hint, reverse=True)[:_MOST_COLUMNS]


def _are_short(column: FoundColumn) -> bool:
    """Whether values may be ids: one line each."""
    return all(len(value) <= _LONGEST_ID and "\n" not in value for value in column.values if value)


def _hint(column: FoundColumn, kind: str, proposal: Proposal) -> _Hint:
    assert proposal.people is not None
    assert proposal.id is not None
    name = column.name.lower()
    elsewhere = [each.name.lower() for each in (proposal.user, proposal.id) if each]
    if name in elsewhere and not _NO_NAMES.fullmatch(name):
        return _Hint.NAMED_AS_ELSEWHERE
    stem, plain = singular(proposal.people.name), name.replace("_", "")
    if plain in {f"{each}{end}" for each in (stem, "user") for end in ("", "id", "uid", "uuid", "key", "code")}:
        return _Hint.NAMED_AFTER_PEOPLE
    if (stem in name or names_people(name)) and (column.type == "id" or kind != "number"):
        return _Hint.NAMED_LIKE_PEOPLE
    return _Hint.VALUES if kind in ("uuid", "text") else _Hint.NONE


def _given(column: FoundColumn, most: int) -> Sequence[str]:
    """Return some of the ids in a column, each once."""
    return sorted({canonical_id(value) for value in column.values if value})[:most]
