"""Finds the column of each table that says which user a row is about."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

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
_MOST_IDS = 200
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
    hinted = {table.name: dict(_hinted(table, proposal)) for table in others}
    columns = [table[name] for table in others for name in hinted[table.name]]
    ids = sorted({each for column in columns for each in _given(column)})
    people = known(ids) if ids else frozenset()
    return [_reference(table, hinted[table.name], people, proposal.people) for table in others]


def _reference(
    table: FoundTable, hints: Mapping[str, _Hint], people: frozenset[str] | None, owner: FoundTable
) -> Reference:
    found = {name: hint for name, hint in hints.items() if _covers(table[name], hint, people)}
    best = [name for name, hint in found.items() if hint == max(found.values())]
    if len(best) == 1:
        return Reference(table=table, column=table[best[0]], sure=found[best[0]] >= _Hint.NAMED_AFTER_PEOPLE)
    if best:
        return Reference(table=table, reason=f"{' and '.join(best)} both refer to {owner.name}")
    return Reference(table=table, reason=f"no column refers to {owner.name}")


def _covers(column: FoundColumn, hint: _Hint, people: frozenset[str] | None) -> bool:
    """Whether people have the ids of a column; without values, or an answer, its name decides."""
    given = _given(column)
    if not given or people is None:
        return hint >= _Hint.NAMED_AFTER_PEOPLE
    share = sum(each in people for each in given) / len(given)
    return share >= (ENOUGH if hint > _Hint.VALUES else _ALMOST_ALL)


def _hinted(table: FoundTable, proposal: Proposal) -> Iterator[tuple[str, _Hint]]:
    assert proposal.people is not None
    assert proposal.id is not None
    kind = id_kind(proposal.id.values)
    for column in table.columns:
        own = id_kind(column.values)
        if is_id(column) and (own in ("", kind) or not kind) and (hint := _hint(column, own, proposal)):
            yield column.name, hint


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


def _given(column: FoundColumn) -> Sequence[str]:
    """Return some of the ids in a column, each once."""
    return sorted({canonical_id(value) for value in column.values if value})[:_MOST_IDS]
