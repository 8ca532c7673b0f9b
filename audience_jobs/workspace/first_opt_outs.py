"""Writes the first `opt_outs.sql`: users who want no pushes, by a column of theirs or by a table of opt-outs.

It takes only what names and values say for sure. The rest is a line for a person to decide.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from audience_jobs.sql import literal
from audience_jobs.workspace.catalog import Catalog, FoundColumn, FoundTable, shown_name
from audience_jobs.workspace.first_models import FirstModels, repeats, switch_of
from audience_jobs.workspace.first_sql import (
    TIMES,
    as_text,
    deleted_column,
    is_kept,
    kept,
    named_as,
    reading,
    select,
    sql_name,
)
from audience_jobs.workspace.opt_out_names import (
    EVERYTHING,
    Sense,
    ends_it,
    is_about_another_channel,
    is_channel,
    is_of_opt_outs,
    is_push_channel,
    is_state,
    is_topic,
    may_be_opt_out,
    sense_of,
    undoes,
)
from audience_jobs.workspace.proposal import Proposal, canonical_id, is_id
from audience_jobs.workspace.references import Reference

_REMARK = (
    "-- Users who want no pushes. With a column topic, a row that has one is about recipes of that topic only.\n"
)
_TOO_MANY = 0.5
"""The part of the people that is not likely to have opted out."""
_NOTHING = "CAST(NULL AS TEXT)"
_UNCLEAR = "may say who wants pushes: models/opt_outs.sql does not read it"


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One SELECT of users who have opted out, in its pieces; `topic` is an expression."""

    user: str
    source: str
    conditions: Sequence[str]
    topic: str = ""

    def sql(self, *, with_topic: bool) -> str:
        topic = [named_as(self.topic or _NOTHING, "topic")] if with_topic else []
        return select([named_as(self.user, "user_id"), *topic], self.source, self.conditions)


class _Test(NamedTuple):
    """A condition on the rows of a table: in SQL, and for a value of the column that it reads."""

    sql: str
    column: FoundColumn
    holds: Callable[[str | None], bool]


@dataclass(frozen=True, kw_only=True)
class _Said:
    """A column that says who has opted out: whether a value is such an answer, in SQL, in Python and in words."""

    column: FoundColumn
    sense: Sense

    @property
    def test(self) -> _Test:
        return _Test(self._condition(), self.column, self._holds)

    def _condition(self) -> str:
        written = reading("o", self.column)
        if self.column.type in TIMES:
            return f"{written} IS NOT NULL"
        yes, no = ("TRUE", "FALSE") if self.column.type == "boolean" else ("1", "0")
        if self.sense == "consent":
            return f"coalesce({written}, {no}) = {no}"
        return f"{written} = {yes if self.sense == 'out' else no}"

    def _holds(self, value: str | None) -> bool:
        if self.column.type in TIMES:
            return bool(value)
        yes = (value or "").lower() in ("true", "t", "yes", "y", "1")
        if self.sense == "switch":
            return bool(value) and not yes
        return yes if self.sense == "out" else not yes

    def words(self, table: FoundTable) -> str:
        name = f"{table.name}.{self.column.name}"
        if self.column.type in TIMES:
            return f"users who have a time in {name}"
        no = "is not true" if self.sense == "consent" else "is false"
        return f"users whose {name} {'is true' if self.sense == 'out' else no}"


def add_opt_outs(models: FirstModels, proposal: Proposal, found: Sequence[Reference]) -> frozenset[str]:
    """Add the model where the source says who has opted out, and return the names of the tables that it reads."""
    if proposal.people is None or proposal.id is None:
        return frozenset()
    people = Reference(table=proposal.people, column=proposal.id, sure=True)
    parts = {
        people.table.name: _of_columns(people, models, are_people=True),
        **{each.table.name: _part(each, models) for each in found},
    }
    if proposal.devices is not None and proposal.devices is not proposal.people:
        switch = switch_of(proposal.devices)
        _say_unread(proposal.devices, models, but=[switch.name] if switch else [])
    read = {name: part for name, part in parts.items() if part is not None}
    if read:
        with_topic = any(part.topic for part in read.values())
        selects = "\nUNION ALL\n".join(part.sql(with_topic=with_topic) for part in read.values())
        models.opt_outs = f"{_REMARK}{selects}\n"
    else:
        _say_none(proposal, models)
    return frozenset(read) - {people.table.name}


def say_left_out(models: FirstModels, catalog: Catalog) -> None:
    """Name the tables and columns that Tminus cannot read, and that may say who has opted out."""
    models.unsure += [
        f"{shown_name(name)} of {table.name} {_UNCLEAR}, because it is left out"
        for table in catalog.tables
        for name in table.left_out
        if may_be_opt_out(name)
    ]
    models.unsure += [
        f"{shown_name(name)} may list opt-outs: models/opt_outs.sql does not read it, because it is left out"
        for name in catalog.unread
        if is_of_opt_outs(name)
    ]


def _say_none(proposal: Proposal, models: FirstModels) -> None:
    switch = switch_of(proposal.devices) if proposal.devices and proposal.devices is not proposal.people else None
    but = f" but {proposal.devices.name}.{switch.name}" if proposal.devices and switch else ""
    no_one = "no one else" if switch else "no one"
    models.missing.append(
        f"nothing{but} says who has opted out, so {no_one} is left out: write models/opt_outs.sql (docs/workspace.md)"
    )


def _part(reference: Reference, models: FirstModels) -> _Part | None:
    if is_of_opt_outs(reference.table.name):
        return _of_table(reference, models)
    return _of_columns(reference, models)


def _of_columns(reference: Reference, models: FirstModels, *, are_people: bool = False) -> _Part | None:
    """Return the users of a table where one of its columns says so."""
    table, user = reference.table, reference.column
    if user is None:
        _say_unread(table, models)
        return None
    said = list(_said(table))
    _say_unread(table, models, but=[each.column.name for each in said])
    if not said:
        return None
    topic = _topic_of(table) if repeats(user) and not are_people else None
    if not are_people and (reason := _against(reference, topic)):
        models.unsure += [f"{table.name}.{each.column.name} {_UNCLEAR}: {reason}" for each in said]
        return None
    models.unsure += [
        f"{table.name}.{column.name} is not read: a user with a time there may have come back"
        for column in table.columns
        if column.type in TIMES and undoes(column.name)
    ]
    there = list(_not_deleted(table, []))
    for each in said:
        ids = _who(user, [each.test, *there])
        models.opted_out.update(ids)
        _say(each, table, len(ids), models)
    held = " OR ".join(each.test.sql for each in said)
    conditions = [f"({held})" if len(said) > 1 else held, *(test.sql for test in there)]
    return _Part(
        user=as_text("o", user),
        source=f"{sql_name(table.name)} AS o",
        conditions=conditions,
        topic=_topic(table, topic, models),
    )


def _against(reference: Reference, topic: FoundColumn | None) -> str:
    """Return why the rows of a table may say something else than what its users want; empty where nothing does."""
    user = reference.column
    if not reference.sure or user is None:
        return "its user may be another one"
    if any(column.guess.meaning in ("token", "platform") for column in reference.table.columns):
        return "it is about devices"
    return "a user has several rows" if topic is None and repeats(user) else ""


def _of_table(reference: Reference, models: FirstModels) -> _Part | None:
    """Return the users in a table of opt-outs."""
    table, user = reference.table, reference.column
    if is_about_another_channel(table.name):
        models.unsure.append(
            f"{table.name} is taken for opt-outs from another channel: models/opt_outs.sql leaves it out"
        )
        return None
    if user is None:
        models.unsure.append(
            f"{table.name} may list opt-outs, but {reference.reason}: models/opt_outs.sql leaves it out"
        )
        return None
    if not reference.sure:
        models.unsure.append(f"{table.name}.{user.name} is taken for the user who has opted out")
    channels = [_channel(column, table, models) for column in table.columns if _tells_channel(column)]
    if None in channels:
        return None
    said = list(_said(table))
    undone = [c for c in table.columns if c.type in TIMES and undoes(c.name)]
    models.unsure += [f"{table.name}.{column.name}: an opt-out with a time there has ended" for column in undone]
    tests = [
        *(each.test for each in said if each.column.type not in TIMES),
        *(_Test(f"{reading('o', column)} IS NULL", column, operator.not_) for column in undone),
        *filter(None, channels),
        *_not_deleted(table, models.unsure),
    ]
    models.unsure += [
        f"{table.name}.{column.name} is not read: each row counts as an opt-out"
        for column in table.columns
        if column not in [each.column for each in said] and is_state(column.name)
    ]
    ids, rows = _who(user, tests), _rows(len(user.values))
    models.opted_out.update(ids)
    counted = rows if len(ids) == len(user.values) else f"{len(ids):,} of {rows}"
    whose = "".join(f", {each.words(table)}" for each in said if each.column.type not in TIMES)
    models.guessed.append(f"opted out: users in {table.name}, by {user.name}{whose}: {counted}")
    return _Part(
        user=as_text("o", user),
        source=f"{sql_name(table.name)} AS o",
        conditions=[test.sql for test in tests],
        topic=_topic(table, _topic_of(table), models),
    )


def _who(user: FoundColumn, tests: Sequence[_Test]) -> list[str]:
    """Return the users of the sampled rows for which all tests hold, one for each row."""
    return [
        canonical_id(id_)
        for row, id_ in enumerate(user.values)
        if id_ and all(test.holds(test.column.values[row]) for test in tests)
    ]


def _not_deleted(table: FoundTable, unsure: list[str]) -> Iterator[_Test]:
    """Yield the condition that a row is not deleted; none where no column says so."""
    if deleted := deleted_column(table, unsure):
        yield from (_Test(sql, deleted, partial(is_kept, deleted)) for sql in kept("o", deleted))


def _tells_channel(column: FoundColumn) -> bool:
    return is_channel(column.name) and column.type == "text"


def _channel(column: FoundColumn, table: FoundTable, models: FirstModels) -> _Test | None:
    """Return the condition that a row is about pushes; None where no row is."""
    values = sorted({value for value in column.values if value})
    pushes = sorted({value.strip().lower() for value in values if is_push_channel(value)})
    others = [value for value in values if not is_push_channel(value)]
    name = f"{table.name}.{column.name}"
    if not pushes:
        models.unsure.append(f"{name} names no channel of pushes: models/opt_outs.sql leaves {table.name} out")
        return None
    if others:
        models.unsure.append(f"{name}: rows of other channels are left out: {', '.join(others)[:80]}")
    read = reading("o", column)
    return _Test(
        f"({read} IS NULL OR lower(trim({read})) IN ({', '.join(map(literal, pushes))}))",
        column,
        lambda value: not value or value.strip().lower() in pushes,
    )


def _said(table: FoundTable) -> Iterator[_Said]:
    """Yield the columns of a table that say for sure who has opted out."""
    for column in table.columns:
        if column.guess.private:
            continue
        sense = sense_of(column.name)
        if sense is not None and _is_yes_or_no(column):
            yield _Said(column=column, sense=sense)
        elif column.type in TIMES and ends_it(column.name):
            yield _Said(column=column, sense="out")


def _say(said: _Said, table: FoundTable, count: int, models: FirstModels) -> None:
    """Say who counts as opted out, in how many rows of the sample, and what was assumed."""
    values, name = said.column.values, f"{table.name}.{said.column.name}"
    empty = sum(not value for value in values)
    models.guessed.append(f"opted out: {said.words(table)}: {count:,} of {_rows(len(values))}")
    if empty and said.column.type not in TIMES:
        taken = "opted out" if said.sense == "consent" else "not opted out"
        models.unsure.append(f"{name} is empty in {empty:,} of {_rows(len(values))}: taken for {taken}")
    if count > _TOO_MANY * len(values):
        models.unsure.append(f"{name} opts most users out: look at its sense in models/opt_outs.sql")
    if "push" not in said.column.name.lower() and said.sense == "consent":
        models.unsure.append(f"{name} is taken for all pushes: if it is about some, give them a topic")


def _say_unread(table: FoundTable, models: FirstModels, but: Sequence[str] = ()) -> None:
    """Name the columns that may say who has opted out, and are not read."""
    for column in table.columns:
        if column.name in but or column.guess.private or not may_be_opt_out(column.name):
            continue
        if _is_yes_or_no(column) or sense_of(column.name):
            models.unsure.append(f"{table.name}.{column.name} {_UNCLEAR}")


def _topic_of(table: FoundTable) -> FoundColumn | None:
    found = (column for column in table.columns if is_topic(column.name) and is_id(column))
    return next((column for column in found if not column.guess.private), None)


def _topic(table: FoundTable, topic: FoundColumn | None, models: FirstModels) -> str:
    """Return the topic of an opt-out, in which the words for everything become none; empty without one."""
    if topic is None:
        return ""
    models.unsure.append(f"{table.name}.{topic.name} is taken for the topic: recipes have to use the same words")
    read = as_text("o", topic)
    every = sorted({value.lower() for value in topic.values if value and value.lower() in EVERYTHING})
    return (
        f"CASE WHEN lower({read}) IN ({', '.join(map(literal, every))}) THEN NULL ELSE {read} END" if every else read
    )


def _is_yes_or_no(column: FoundColumn) -> bool:
    values = {value for value in column.values if value}
    return column.type == "boolean" or (column.type == "integer" and bool(values) and values <= {"0", "1"})


def _rows(count: int) -> str:
    return f"{count:,} sampled row{'s' * (count != 1)}"
