"""Whom a query-based audience is of: filters, data packs, user ids and the query of an `audienceCriteria`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from audience_jobs import criteria_values as values
from audience_jobs.data_packs import DATA_PACKS
from audience_jobs.errors import BadCriteria, RefusedQuery, choices

if TYPE_CHECKING:
    from audience_jobs.custom_query import CustomQuery


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What narrows an audience down; None and empty are not asked for. A user has to fit all of it.

    Days count back from the execution's time, and `joined_after` is in UTC, without zone. `user_ids` are distinct,
    UUIDs in lower case. Whatever is asked for, users who are deleted or frozen are never found.
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

    @property
    def narrows(self) -> bool:
        """Whether anything is asked for: without, everybody is found."""
        return any(getattr(self, field.name) not in (None, ()) for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class _Filter:
    """A filter: its name in recipes, the field of Criteria, what reads its value; and its name in `old` recipes.

    A reader gives None for a value that asks for nothing, and raises ValueError with the reason.
    """

    name: str
    field: str
    read: Callable[[object], object]
    old: str = ""
    read_old: Callable[[object], object] = values.nothing


_FILTERS = (
    _Filter(
        name="lastActiveDays",
        field="last_active_days",
        read=values.days,
        old="activityDays",
        read_old=values.days_or_zero,
    ),
    _Filter(name="daysSinceLastActive_inactive", field="inactive_days", read=values.days),
    _Filter(
        name="tradedInLastDays",
        field="traded_days",
        read=values.days,
        old="tradingDays",
        read_old=values.days_or_zero,
    ),
    _Filter(name="notTradedInLastDays", field="not_traded_days", read=values.days),
    _Filter(
        name="minLifetimeTrades",
        field="min_lifetime_trades",
        read=values.count,
        old="minTrades",
        read_old=values.count_or_zero,
    ),
    _Filter(name="maxLifetimeTrades", field="max_lifetime_trades", read=values.count),
    _Filter(
        name="hasTrustedTrader",
        field="trusted_trader",
        read=values.yes_or_no,
        old="trustedTraderStatus",
        read_old=values.yes_no_or_any,
    ),
    _Filter(
        name="isTrustedTraderCandidate",
        field="trusted_trader_candidate",
        read=values.yes_or_no,
        old="trustedTraderCandidate",
        read_old=values.yes_no_or_any,
    ),
    _Filter(name="joinedAfterDate", field="joined_after", read=values.instant),
    _Filter(name="manualUserIds", field="user_ids", read=values.user_ids),
)
FILTERS = tuple(filter_.name for filter_ in _FILTERS)
"""The names of the filters, as in recipes."""
_OUTSIDE = {"manualUserIds"} | {filter_.old for filter_ in _FILTERS if filter_.old}
"""What may also stand in `audienceCriteria` itself."""
CRITERIA_FIELDS = ("filters", "dataPacks", "customQuery", *sorted(_OUTSIDE))
"""The fields of `audienceCriteria` that ask for a query-based audience."""


def read_criteria(written: Mapping[str, Any]) -> Criteria:
    """Read `filters`, `dataPacks`, `manualUserIds` and `customQuery`; other keys are not looked at.

    The names of old recipes are understood in `filters` and beside it: with them, 0 and "any" ask for nothing, as do
    empty texts and lists with any name. Raises BadCriteria for every field that cannot be understood or that
    contradicts another.
    """
    reading = _Reading(written)
    found = reading.filters()
    packs = reading.one("dataPacks", written.get("dataPacks"), values.data_packs) or ()
    query = reading.one("customQuery", written.get("customQuery"), _custom_query)
    criteria = Criteria(**found, data_packs=packs, custom_query=query)
    reading.errors += _contradictions(criteria, reading.places)
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
        """Read all filters, whatever their names and places, as fields of Criteria."""
        found: dict[str, Any] = {}
        for place, name, value in self._given():
            filter_ = next((known for known in _FILTERS if name in (known.name, known.old)), None)
            if filter_ is None:
                self.errors.append((place, f"is an unknown filter{choices(name, FILTERS)}"))
                continue
            read = self.one(place, value, filter_.read if name == filter_.name else filter_.read_old)
            if read is None:
                continue
            if found.get(filter_.field, read) != read:
                self.errors.append((place, f"contradicts {self.places[filter_.field]}: keep one of the two"))
            found[filter_.field] = read
            self.places.setdefault(filter_.field, place)
        return found

    def _given(self) -> Iterator[tuple[str, str, Any]]:
        filters = self._written.get("filters")
        if isinstance(filters, Mapping):
            yield from ((f"filters.{name}", name, value) for name, value in filters.items())
        elif filters is not None:
            self.errors.append(("filters", f"must be an object, got {values.shown(filters)}"))
        yield from ((name, name, self._written[name]) for name in sorted(_OUTSIDE & set(self._written)))

    def one(self, place: str, value: object, read: Callable[[object], Any]) -> Any:
        """Read one value; None where there is none or an empty text, as old forms wrote, or where it is at fault."""
        if value is None or value == "":
            return None
        try:
            return read(value)
        except ValueError as error:
            self.errors.append((place, str(error)))
            return None


def _custom_query(value: object) -> "CustomQuery | None":
    if not isinstance(value, str) or values.shown(value) != values.shown(value.encode("utf-8", "replace").decode()):
        raise ValueError(f"must be a Unicode text, got {values.shown(value)}")
    if not value.strip():
        return None
    from audience_jobs.custom_query import read_custom_query  # noqa: PLC0415 - sqlglot takes a while to load

    try:
        return read_custom_query(value)
    except RefusedQuery as error:
        raise ValueError(error.reason) from error


def _contradictions(criteria: Criteria, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what no user can fit, or no file hold."""
    for within, beyond in (("last_active_days", "inactive_days"), ("traded_days", "not_traded_days")):
        recent, quiet = getattr(criteria, within), getattr(criteria, beyond)
        if recent is not None and quiet is not None and quiet >= recent:
            reason = f"is {quiet}, and {places[within]} is {recent}, so that nobody fits both: make it less"
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
