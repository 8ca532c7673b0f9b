"""The criteria of a query-based audience: filters, data packs, user ids and the query in `audienceCriteria`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from audience_jobs import criteria_values as values
from audience_jobs.errors import BadCriteria, RefusedQuery, choices
from audience_jobs.marketplace.data_packs import DATA_PACKS
from audience_jobs.workspace import Workspace

if TYPE_CHECKING:
    from audience_jobs.conditions.joining import Joined
    from audience_jobs.conditions.tree import Condition
    from audience_jobs.custom_query import CustomQuery


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The conditions of an audience. None and empty values mean no condition. A user has to match all of them.

    Days count back from the execution's time, and `joined_after` is in UTC, without zone. `user_ids` are distinct,
    UUIDs in lower case. Deleted and frozen users are never found.
    """

    last_active_days: int | None = None
    inactive_days: int | None = None
    traded_days: int | None = None
    not_traded_days: int | None = None
    min_lifetime_trades: int | None = None
    max_lifetime_trades: int | None = None
    trusted_trader: bool | None = None
    trusted_trader_candidate: bool | None = None
    joined_after: datetime | None = None
    user_ids: tuple[str, ...] = ()
    data_packs: tuple[str, ...] = ()
    custom_query: "CustomQuery | None" = None
    where: "Condition | None" = None
    joined: "tuple[Joined, ...]" = ()

    @property
    def narrows(self) -> bool:
        """Whether there is any condition. Without one, every user is found; `where` may say so itself."""
        others = (field.name for field in fields(self) if field.name != "joined")
        needs_row = any(not joined.optional for joined in self.joined)
        return needs_row or any(getattr(self, name) not in (None, ()) for name in others)


_Filters = Mapping[str, tuple[str, Callable[[object], object]]]
"""The names of filters in recipes, each with its field of Criteria and what reads its value.

A reader returns None for a value that means no condition, and raises ValueError with the reason.
"""
_FILTERS: _Filters = {
    "lastActiveDays": ("last_active_days", values.days),
    "daysSinceLastActive_inactive": ("inactive_days", values.days),
    "tradedInLastDays": ("traded_days", values.days),
    "notTradedInLastDays": ("not_traded_days", values.days),
    "minLifetimeTrades": ("min_lifetime_trades", values.count),
    "maxLifetimeTrades": ("max_lifetime_trades", values.count),
    "hasTrustedTrader": ("trusted_trader", values.yes_or_no),
    "isTrustedTraderCandidate": ("trusted_trader_candidate", values.yes_or_no),
    "joinedAfterDate": ("joined_after", values.instant),
    "manualUserIds": ("user_ids", values.user_ids),
}
_OLD_FILTERS: _Filters = {
    "activityDays": ("last_active_days", values.days_or_zero),
    "tradingDays": ("traded_days", values.days_or_zero),
    "minTrades": ("min_lifetime_trades", values.count_or_zero),
    "trustedTraderStatus": ("trusted_trader", values.yes_no_or_any),
    "trustedTraderCandidate": ("trusted_trader_candidate", values.yes_no_or_any),
}
FILTERS = tuple(_FILTERS)
"""The names of the filters, as in recipes."""
PLACES = {field: f"filters.{name}" for name, (field, _) in _FILTERS.items()}
"""Where a recipe writes each field of Criteria that is a filter."""
_OF_PEOPLE = ("where", "with")
_OUTSIDE = {"manualUserIds", *_OLD_FILTERS}
"""Filters that are also allowed in `audienceCriteria` itself."""


def read_criteria(written: Mapping[str, Any], workspace: Workspace) -> Criteria:
    """Read `filters`, `dataPacks`, `manualUserIds`, `customQuery`, `where` and `with`; ignore other keys.

    The names of old recipes are understood in `filters` and beside it: with them, 0 and "any" ask for nothing, as do
    empty texts and lists with any name. A query may read what is public in the workspace.

    Raises BadCriteria for every field that cannot be understood or that contradicts another.
    """
    reading = _Reading(written)
    found = reading.filters()
    packs = reading.one("dataPacks", written.get("dataPacks"), values.data_packs) or ()
    query = reading.one("customQuery", written.get("customQuery"), lambda value: _custom_query(value, workspace))
    where, joined = reading.of_people(workspace)
    criteria = Criteria(**found, data_packs=packs, custom_query=query, where=where, joined=joined)
    reading.errors += _contradictions(criteria, reading.places)
    reading.errors += _twins(criteria, workspace)
    if reading.errors:
        raise BadCriteria(reading.errors)
    return criteria


class _Reading:
    """Reads fields one by one: `errors` are (field, reason), `places` where each field of Criteria was written."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._written = written
        self.errors: list[tuple[str, str]] = []
        self.places: dict[str, str] = {}

    def filters(self) -> dict[str, Any]:
        """Read all filters, by all their names and places, as fields of Criteria."""
        found: dict[str, Any] = {}
        for place, name, value in self._given():
            known = _FILTERS.get(name) or _OLD_FILTERS.get(name)
            if known is None:
                self.errors.append((place, f"is an unknown filter{choices(name, FILTERS)}"))
                continue
            field, reader = known
            read = self.one(place, value, reader)
            if read is None:
                continue
            if found.get(field, read) != read:
                self.errors.append((place, f"contradicts {self.places[field]}: keep one of the two"))
            found[field] = read
            self.places.setdefault(field, place)
        return found

    def _given(self) -> Iterator[tuple[str, str, Any]]:
        filters = self._written.get("filters")
        if isinstance(filters, Mapping):
            yield from ((f"filters.{name}", name, value) for name, value in filters.items())
        elif filters is not None:
            self.errors.append(("filters", f"must be an object, got {values.shown(filters)}"))
        yield from ((name, name, self._written[name]) for name in sorted(_OUTSIDE & set(self._written)))

    def of_people(self, workspace: Workspace) -> "tuple[Condition | None, tuple[Joined, ...]]":
        """Read the conditions on people and the models that are joined to them."""
        written = {name: value for name in _OF_PEOPLE if (value := self._written.get(name)) not in (None, "")}
        if written and not workspace.has_models:
            self.errors += [(name, "needs models/people.sql, which the workspace lacks") for name in written]
            return None, ()
        from audience_jobs.conditions.joining import read_joined  # noqa: PLC0415 - old recipes have no conditions
        from audience_jobs.conditions.reading import read_condition  # noqa: PLC0415 - as above
        from audience_jobs.conditions.traits import traits_of  # noqa: PLC0415 - as above

        where: Condition | None = None
        joined: tuple[Joined, ...] = ()
        try:
            where = read_condition(written["where"], traits_of(workspace.models)) if "where" in written else None
        except BadCriteria as error:
            self.errors += error.errors
        try:
            joined = read_joined(written["with"], workspace.models) if "with" in written else ()
        except BadCriteria as error:
            self.errors += error.errors
        return where, joined

    def one(self, place: str, value: object, read: Callable[[object], Any]) -> Any:
        """Read one value; None where there is none or an empty text, as old forms wrote, or where it is at fault."""
        if value is None or value == "":
            return None
        try:
            return read(value)
        except ValueError as error:
            self.errors.append((place, str(error)))
            return None


def _custom_query(value: object, workspace: Workspace) -> "CustomQuery | None":
    if not isinstance(value, str) or value != value.encode("utf-8", "replace").decode():
        raise ValueError(f"must be a Unicode text, got {values.shown(value)}")
    if not value.strip():
        return None
    from audience_jobs.custom_query import read_custom_query  # noqa: PLC0415 - sqlglot takes a while to load

    try:
        return read_custom_query(value, workspace.models.readable)
    except RefusedQuery as error:
        raise ValueError(error.reason) from error


def _contradictions(criteria: Criteria, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield errors for conditions that no user can match, or that are too large for a file."""
    for within, beyond in (("last_active_days", "inactive_days"), ("traded_days", "not_traded_days")):
        recent, quiet = getattr(criteria, within), getattr(criteria, beyond)
        if recent is not None and quiet is not None and quiet >= recent:
            reason = f"is {quiet}, and {places[within]} is {recent}, so that no user fits both: make it less"
            yield places[beyond], reason
    least, most = criteria.min_lifetime_trades, criteria.max_lifetime_trades
    if least is not None and most is not None and least > most:
        reason = f"is {least}, above {places['max_lifetime_trades']}, which is {most}: lower it, or raise the other"
        yield places["min_lifetime_trades"], reason
    own = {column.name.lower() for column in criteria.custom_query.columns} if criteria.custom_query else set()
    for pack in criteria.data_packs:
        for column, _ in DATA_PACKS[pack].columns:
            if column.name in own:
                yield (
                    "customQuery",
                    f"yields the column {column.name}, as data pack {pack} does: rename it",
                )


def _twins(criteria: Criteria, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield errors for columns that two parts of an audience of people have."""
    if not criteria.joined:
        return
    from audience_jobs.conditions.traits import columns_of  # noqa: PLC0415 - as above

    query = criteria.custom_query
    own, owner = (query.columns, "customQuery") if query else (columns_of(workspace.models["people"]), "people")
    seen = {"user_id": owner, "audience": "Tminus", **{column.name.lower(): owner for column in own}}
    for at, joined in enumerate(criteria.joined):
        for column in joined.columns:
            if (other := seen.setdefault(column.name.lower(), joined.model)) != joined.model:
                reason = f"has the column {column.name}, as {other} has: rename it in models/{joined.model}.sql"
                yield f"with[{at}]", reason
