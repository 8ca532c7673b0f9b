"""Writes the first models of events: tables with several rows a user, each of them with a time."""

import re
from collections.abc import Collection, Sequence

from audience_jobs.schema import DEVICES
from audience_jobs.workspace.catalog import Catalog, FoundColumn, FoundTable
from audience_jobs.workspace.first_models import FirstModels, repeats
from audience_jobs.workspace.first_sql import (
    TIMES,
    as_text,
    as_time,
    deleted_column,
    kept,
    named_as,
    own_name,
    public_columns,
    select,
    sql_name,
)
from audience_jobs.workspace.models import OPT_OUTS, PEOPLE
from audience_jobs.workspace.references import Reference

RESERVED = frozenset({PEOPLE, DEVICES, OPT_OUTS, "opens", "conversions", "deliveries"})
"""Models with a meaning of their own: a table with such a name becomes the model NAME_events."""
_MEANT = frozenset({"user_id", "at"})
_MOST_MODELS, _MOST_COLUMNS, _LONGEST_NAME = 40, 200, 51
_NOT_WHEN = re.compile(
    r"updat|modif|chang|sync|import|ingest|(^|_)load|delet|remov|expir|due|valid|until|(^|_)(end|to|last)",
    re.IGNORECASE,
)
"""What times are called that say something else than when an event happened."""
_WHEN = re.compile(
    r"at|ts|time|timestamp|date|day|(event|occurred|happened|created)(_?(at|on|time|timestamp|date))?", re.IGNORECASE
)


def add_events(models: FirstModels, catalog: Catalog, found: Sequence[Reference], used: Collection[str]) -> None:
    """Add a model for each table that holds events, and say of the other tables why they hold none.

    `used` are the names of tables that other models read.
    """
    taken = {table.name.lower() for table in catalog.tables}
    for reference in found:
        if reference.table.name in used:
            continue
        if len(models.events) == _MOST_MODELS:
            models.no_events.append(f"{reference.table.name}: there are {_MOST_MODELS} models of events already")
            continue
        if reason := _event(models, reference, taken):
            models.no_events.append(f"{reference.table.name}: {reason}")


def _event(models: FirstModels, reference: Reference, taken: set[str]) -> str:
    """Add the model of a table; otherwise return why it cannot be one of events."""
    table, user = reference.table, reference.column
    if user is None:
        return reference.reason
    times = [column for column in table.columns if column.type in TIMES and not column.guess.private]
    at = _when(times)
    if at is None:
        names = ", ".join(column.name for column in times)
        if not any(column.values for column in table.columns):
            return "it has no rows to look at"
        return f"which of {names} says when?" if names else "no column is a time"
    if any(user.values) and not repeats(user):
        return f"each {user.name} has one row in the sample: events have several"
    name = _model_name(table.name, taken)
    if name is None:
        return "its name is that of another model"
    taken.add(name)
    models.events[name] = _text(table, user, at, models)
    models.guessed.append(f"events: the model {name}, its users in {user.name}, its times in {at.name}")
    if not reference.sure:
        models.unsure.append(f"{table.name}.{user.name} is taken for the user of the model {name}")
    if len(times) > 1:
        others = ", ".join(column.name for column in times if column is not at)
        models.unsure.append(f"{table.name}.{at.name} is taken for the time of the model {name}, and not {others}")
    return ""


def _when(times: Sequence[FoundColumn]) -> FoundColumn | None:
    """Return the time of an event: the only one, or the only one that can be, or is named so."""
    for choice in (
        times,
        [column for column in times if not _NOT_WHEN.search(column.name)],
        [column for column in times if _WHEN.fullmatch(column.name)],
    ):
        if len(choice) == 1:
            return choice[0]
    return None


def _model_name(table: str, taken: Collection[str]) -> str | None:
    """Return the name of a table's model: its own, unless it is reserved or too long."""
    name = table.lower()
    if name not in RESERVED and len(name) <= _LONGEST_NAME:
        return name
    other = f"{name[: _LONGEST_NAME - len('_events')]}_events"
    return None if other in taken else other


def _text(table: FoundTable, user: FoundColumn, at: FoundColumn, models: FirstModels) -> str:
    deleted = deleted_column(table, models.unsure)
    others = public_columns(table, without=(user, at, deleted), names=_MEANT)
    if len(others) > _MOST_COLUMNS:
        models.unsure.append(f"{table.name} has {len(others):,} columns: its model reads the first {_MOST_COLUMNS}")
    selected = [named_as(as_text("e", user), "user_id"), named_as(as_time("e", at), "at")]
    selected += [own_name("e", column) for column in others[:_MOST_COLUMNS]]
    remark = "-- One row for each event: whose it is, and when it happened. Conditions read it by did and did_not."
    return f"{remark}\n{select(selected, f'{sql_name(table.name)} AS e', [*kept('e', deleted)])}\n"
