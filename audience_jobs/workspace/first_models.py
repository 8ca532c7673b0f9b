"""Writes the first `people.sql` and `devices.sql` of a workspace from what its source seems to hold."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from audience_jobs.schema import DEVICES
from audience_jobs.workspace.catalog import FoundColumn, FoundTable, shown_name
from audience_jobs.workspace.first_sql import (
    TIMES,
    as_text,
    as_time,
    deleted_column,
    kept,
    named_as,
    own_name,
    public_columns,
    reading,
    select,
    sql_name,
)
from audience_jobs.workspace.guess import Meaning, is_locale, is_zone
from audience_jobs.workspace.models import OPT_OUTS, PEOPLE
from audience_jobs.workspace.proposal import Proposal, column_meaning

_MOST_TRAITS, _MOST_NAMED = 200, 3
_MEANT = frozenset({"user_id", "time_zone", "locale", "audience"})
_ZONE_NAME = re.compile(r"(^|_)(time_?zone|tz|zone)$|timeZone$", re.IGNORECASE)
_LOCALE_NAME = re.compile(r"(^|_)(locale|lang|language)$", re.IGNORECASE)
_UPDATED = (r"updat|refresh|modif", r"seen|last|active", r"creat|regist|added|since", r".")
_SWITCH = re.compile(r"(push_?|notifications?_?)(enabled|on|allowed|opt_?in|permission)?", re.IGNORECASE)
_VERSION = re.compile(r"app_?version|version", re.IGNORECASE)
_PLAIN, _APPLE = {"android", "ios", "web"}, "'iphone', 'ipad', 'ipados'"


@dataclass(kw_only=True)
class FirstModels:
    """The texts of the models, and what the choice was: lines for people.

    `opt_outs` is empty where the source says nothing of them. `events` are texts by the names of the models, and
    `no_events` says of each other table why it holds none. `opted_out` are ids of users in the sample who may have
    opted out.
    """

    people: str = ""
    devices: str = ""
    opt_outs: str = ""
    events: dict[str, str] = field(default_factory=dict)
    no_events: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    traits: Sequence[str] = ()
    opted_out: set[str] = field(default_factory=set)

    @property
    def texts(self) -> Mapping[str, str]:
        """The text of each model, by its name."""
        opt_outs = {OPT_OUTS: self.opt_outs} if self.opt_outs else {}
        return {PEOPLE: self.people, DEVICES: self.devices, **opt_outs, **self.events}


def first_models(proposal: Proposal) -> FirstModels | None:
    """Return the models for a proposal; None where there are no people in the source."""
    if proposal.people is None or proposal.id is None:
        return None
    models = FirstModels()
    models.people = _people(proposal.people, proposal.id, proposal, models)
    models.devices = _devices(proposal, models)
    return models


def _people(table: FoundTable, id_: FoundColumn, proposal: Proposal, models: FirstModels) -> str:
    zone = _one(table, "time_zone", _ZONE_NAME, is_zone, models)
    locale = _one(table, "locale", _LOCALE_NAME, is_locale, models)
    deleted = deleted_column(table, models.unsure)
    others = public_columns(table, without=(id_, zone, locale, deleted), names=_MEANT)
    models.traits = [column.name for column in others[:_MOST_TRAITS]]
    models.guessed.append(f"people: {table.name}, one row for each {id_.name}")
    if proposal.doubt:
        models.unsure.append(f"{table.name} is taken for the people: {proposal.doubt}; look at models/people.sql")
    if len(others) > _MOST_TRAITS:
        models.unsure.append(f"{table.name} has {len(others):,} columns: people.sql reads the first {_MOST_TRAITS}")
    selected = [named_as(as_text("p", id_), "user_id")]
    for column, name, what in ((zone, "time_zone", "time zone"), (locale, "locale", "locale")):
        if column:
            selected.append(named_as(reading("p", column), name))
            models.guessed.append(f"{what}: {table.name}.{column.name}")
        else:
            models.missing.append(f"no column of {table.name} has a {what}: people.sql has no {name}")
    selected += [own_name("p", column) for column in others[:_MOST_TRAITS]]
    private = [column.name for column in table.columns if column.guess.private]
    if private:
        models.guessed.append(f"private: {', '.join(private)} of {table.name}")
    source, conditions = f"{sql_name(table.name)} AS p", [*kept("p", deleted)]
    if proposal.repeated:
        models.unsure.append(
            f"{proposal.repeated:,} rows of {table.name} have no {id_.name}, or repeat one: left out"
        )
        source, conditions = _first_rows(source, id_, table, conditions)
    return _text(
        "One row for each user who may be sent to. All columns but user_id are for conditions and templates.",
        selected,
        source,
        conditions,
    )


def _first_rows(source: str, id_: FoundColumn, table: FoundTable, conditions: Sequence[str]) -> tuple[str, list[str]]:
    """Return a subquery that keeps one row of each id, and the conditions outside of it."""
    columns = ", ".join(f"p.{sql_name(column.name)}" for column in table.columns if not column.guess.private)
    key = f"p.{sql_name(id_.name)}"
    where = " AND ".join([f"{key} IS NOT NULL", *conditions])
    place = f"row_number() OVER (PARTITION BY {key} ORDER BY {key}) AS place_of_row"
    inner = f"SELECT {columns}, {place}\n    FROM {source}\n    WHERE {where}"  # noqa: S608 (quoted names)
    return f"(\n    {inner}\n) AS p", ["p.place_of_row = 1"]


def _devices(proposal: Proposal, models: FirstModels) -> str:
    table, user, token = proposal.devices, proposal.user, proposal.token
    if table is None or user is None or token is None:
        models.missing.append(f"{_why_no_devices(table, token)}: nothing is sent until models/devices.sql reads some")
        empty = ["user_id", "token", "platform"]
        nothing = [*(f"CAST(NULL AS TEXT) AS {name}" for name in empty), "CAST(NULL AS TIMESTAMP) AS updated_at"]
        return _text(
            "One row for each device. None was found: read them from a table here.", nothing, "people AS p", ["FALSE"]
        )
    models.guessed.append(f"devices: {table.name}, tokens in {token.name}, their users in {user.name}")
    if not token.values:
        models.unsure.append(f"{table.name}.{token.name} is named like a token, but there are no rows to look at")
    elif token.guess.meaning != "token":
        models.unsure.append(f"{table.name}.{token.name} is named like a token, but its values do not look like one")
    if proposal.covered < 1:
        models.unsure.append(
            f"{1 - proposal.covered:.0%} of the users in {table.name}.{user.name} that were looked at are not people"
        )
    deleted, platform = deleted_column(table, models.unsure), column_meaning(table, "platform")
    selected = [named_as(as_text("d", user), "user_id"), named_as(reading("d", token), "token")]
    selected += [named_as(_platform(platform), "platform")]
    selected += [named_as(_updated_at(table, deleted, models), "updated_at")]
    if platform is None:
        models.missing.append(f"no column of {table.name} has a platform (android, ios, web)")
    # Where people and devices are one table, the switch is that of the person: opt_outs.sql reads it.
    switch = None if table is proposal.people else switch_of(table)
    for name, column in (("notifications", switch), ("app_version", _named(table, _VERSION, "text"))):
        if column:
            selected.append(named_as(reading("d", column), name))
            models.guessed.append(f"{name}: {table.name}.{column.name}")
    return _text(
        "One row for each device. Sending takes the newest of a user.",
        selected,
        f"{sql_name(table.name)} AS d",
        [*kept("d", deleted)],
    )


def _why_no_devices(table: FoundTable | None, token: FoundColumn | None) -> str:
    if table is None or token is None:
        return "no column looks like device tokens"
    left_out = ", ".join(map(shown_name, table.left_out[:_MOST_NAMED]))
    why = f" ({left_out} is left out for its name or type)" if left_out else ""
    return (
        f"{table.name}.{token.name} looks like device tokens, but no column of {table.name} says whose they are{why}"
    )


def _one(
    table: FoundTable, meaning: Meaning, name: re.Pattern[str], fits: Callable[[str], object], models: FirstModels
) -> FoundColumn | None:
    """Return the column with a meaning, or else one that is named so and has some values that fit."""
    found = column_meaning(table, meaning)
    if found is None or found.type not in ("text", "id"):
        named = (c for c in table.columns if name.search(c.name) and c.type == "text" and not c.guess.private)
        found = next(
            (c for c in named if any(value and (fits(value) or fits(value.lower())) for value in c.values)), None
        )
    if found is None:
        return None
    filled = [value for value in found.values if value]
    if misfits := sum(not fits(value) for value in filled):
        what = meaning.replace("_", " ")
        models.unsure.append(
            f"{table.name}.{found.name}: {misfits:,} of {len(filled):,} sampled values are not a {what}"
        )
    return found


def switch_of(devices: FoundTable) -> FoundColumn | None:
    """Return the column that says whether a device takes pushes."""
    return _named(devices, _SWITCH, "boolean")


def repeats(user: FoundColumn) -> bool:
    """Whether a user has several rows in the sample."""
    filled = [value for value in user.values if value]
    return len(set(filled)) < len(filled)


def _named(table: FoundTable, pattern: re.Pattern[str], type_: str) -> FoundColumn | None:
    return next((c for c in table.columns if c.type == type_ and pattern.fullmatch(c.name)), None)


def _platform(column: FoundColumn | None) -> str:
    if column is None:
        return "CAST(NULL AS TEXT)"
    written, values = f"d.{sql_name(column.name)}", {value for value in column.values if value}
    if values <= _PLAIN:
        return written
    lower = f"lower(trim({written}))"
    if {value.strip().lower() for value in values} <= _PLAIN:
        return lower
    return f"CASE WHEN {lower} IN ({_APPLE}) THEN 'ios' ELSE {lower} END"


def _updated_at(table: FoundTable, deleted: FoundColumn | None, models: FirstModels) -> str:
    times = [column for column in table.columns if column.type in TIMES and column is not deleted]
    for pattern in _UPDATED:
        if column := next((c for c in times if re.search(pattern, c.name, re.IGNORECASE)), None):
            models.guessed.append(f"newest device: by {table.name}.{column.name}")
            return as_time("d", column)
    models.missing.append(
        f"no column of {table.name} says when a device was seen: any device of a user counts as newest"
    )
    return "CAST(NULL AS TIMESTAMP)"


def _text(remark: str, selected: Sequence[str], source: str, conditions: Sequence[str]) -> str:
    return f"-- {remark}\n{select(selected, source, conditions)}\n"
