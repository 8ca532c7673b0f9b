"""The criteria of a query-based audience: filters, data packs, user ids and the query in `audienceCriteria`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

from audience_jobs import criteria_values as values
from audience_jobs.contract import DataPack
from audience_jobs.errors import BadCriteria, RefusedQuery, choices
from audience_jobs.workspace import Workspace
from audience_jobs.workspace.filters import USER_IDS, Filter, FilterValue

if TYPE_CHECKING:
    from audience_jobs.conditions.joining import Joined
    from audience_jobs.conditions.tree import Condition
    from audience_jobs.custom_query import CustomQuery


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A filter with the value that a recipe gives it."""

    filter: Filter
    value: FilterValue


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The conditions of an audience. None and empty values mean no condition. A user has to match all of them.

    `filters` are in the order of the workspace. Days count back from the execution's time. `user_ids` are distinct,
    UUIDs in lower case. Deleted and frozen users are never found.
    """

    filters: tuple[Asked, ...] = ()
    user_ids: tuple[str, ...] = ()
    data_packs: tuple[DataPack, ...] = ()
    custom_query: "CustomQuery | None" = None
    where: "Condition | None" = None
    joined: "tuple[Joined, ...]" = ()

    @property
    def narrows(self) -> bool:
        """Whether there is any condition. Without one, every user is found; `where` may say so itself."""
        others = (field.name for field in fields(self) if field.name != "joined")
        needs_row = any(not joined.optional for joined in self.joined)
        return needs_row or any(getattr(self, name) not in (None, ()) for name in others)


_OF_PEOPLE = ("where", "with")


def read_criteria(written: Mapping[str, Any], workspace: Workspace) -> Criteria:
    """Read `filters`, `dataPacks`, `manualUserIds`, `customQuery`, `where` and `with`; ignore other keys.

    The workspace says which filters and data packs there are. Names of old recipes are understood in `filters` and
    beside it: with them, 0 and "any" ask for nothing, as do empty texts and lists with any name. A query may read
    what is public in the workspace.

    Raises BadCriteria for every field that cannot be understood or that contradicts another.
    """
    reading = _Reading(written, workspace)
    found, ids = reading.filters()
    packs = reading.one("dataPacks", written.get("dataPacks"), partial(_data_packs, workspace))
    query = reading.one("customQuery", written.get("customQuery"), lambda value: _custom_query(value, workspace))
    where, joined = reading.of_people()
    criteria = Criteria(
        filters=found, user_ids=ids, data_packs=packs or (), custom_query=query, where=where, joined=joined
    )
    reading.errors += _contradictions(criteria, reading.places)
    reading.errors += _twins(criteria, workspace)
    if reading.errors:
        raise BadCriteria(reading.errors)
    return criteria


class _Reading:
    """Reads fields one by one: `errors` are (field, reason), `places` where each filter was written first."""

    def __init__(self, written: Mapping[str, Any], workspace: Workspace) -> None:
        self._written, self._workspace = written, workspace
        self.errors: list[tuple[str, str]] = []
        self.places: dict[str, str] = {}

    def filters(self) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
        """Read all filters, by all their names and places, and the ids of users."""
        declared, found = self._workspace.filters, dict[str, Any]()
        known = {name: each for each in declared.values() for name in (each.name, *each.old)}
        for place, name, value in self._given():
            each = known.get(name)
            if each is None and name != USER_IDS:
                self.errors.append((place, f"is an unknown filter{choices(name, [*declared, USER_IDS])}"))
                continue
            read = self.one(place, value, partial(values.filter_value, each, name) if each else values.user_ids)
            if read is not None:
                self._put(found, each.name if each else USER_IDS, place, read)
        asked = tuple(Asked(filter=each, value=found[name]) for name, each in declared.items() if name in found)
        return asked, found.get(USER_IDS, ())

    def _put(self, found: dict[str, Any], name: str, place: str, value: object) -> None:
        if found.get(name, value) != value:
            self.errors.append((place, f"contradicts {self.places[name]}: keep one of the two"))
        found[name] = value
        self.places.setdefault(name, place)

    def _given(self) -> Iterator[tuple[str, str, Any]]:
        filters = self._written.get("filters")
        if isinstance(filters, Mapping):
            yield from ((f"filters.{name}", name, value) for name, value in filters.items())
        elif filters is not None:
            self.errors.append(("filters", f"must be an object, got {values.shown(filters)}"))
        outside = {USER_IDS, *self._workspace.old_filters}
        yield from ((name, name, self._written[name]) for name in sorted(outside & set(self._written)))

    def of_people(self) -> "tuple[Condition | None, tuple[Joined, ...]]":
        """Read the conditions on people and the models that are joined to them."""
        workspace = self._workspace
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


def _data_packs(workspace: Workspace, value: object) -> tuple[DataPack, ...]:
    return values.data_packs(value, workspace.data_packs)


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
    """Yield errors for conditions that no user can match, and for columns that come twice."""
    given: dict[str, Any] = {asked.filter.name: asked.value for asked in criteria.filters}
    for each in (asked.filter for asked in criteria.filters):
        value, place = given[each.name], places[each.name]
        if (beyond := given.get(each.less_than)) is not None and value >= beyond:
            other = places[each.less_than]
            yield place, f"is {value}, and {other} is {beyond}, so that no user fits both: make it less"
        if (most := given.get(each.at_most)) is not None and value > most:
            other = places[each.at_most]
            yield place, f"is {value}, above {other}, which is {most}: lower it, or raise the other"
    own = {column.name.lower() for column in criteria.custom_query.columns} if criteria.custom_query else set()
    for pack in criteria.data_packs:
        for column, _ in pack.columns:
            if column.name in own:
                yield "customQuery", f"yields the column {column.name}, as data pack {pack.name} does: rename it"


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
