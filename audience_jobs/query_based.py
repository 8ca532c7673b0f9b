"""Make an audience job from criteria, so that a query-based audience is built and checked like any other.

The filters and data packs are those of the workspace, or of the marketplace where it declares none, which read tables
that it may lack. A `customQuery` does without them, and `where` asks for the workspace's own people.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Literal

from audience_jobs.contract import Audience, Column, Job, Parameter
from audience_jobs.criteria import Asked, Criteria
from audience_jobs.errors import BadCriteria
from audience_jobs.schema import Needed, Tables
from audience_jobs.sql import quoted
from audience_jobs.workspace import Workspace
from audience_jobs.workspace.filters import FilterValue

if TYPE_CHECKING:
    from audience_jobs.query import Query

AUDIENCE = "default"
"""The one audience of a query-based recipe, and what old recipes call an audience that they do not name."""

_USER_ID = Column(name="user_id", type="text", meaning="the user's id")
_ABOUT_USER = {
    "username": Column(name="username", type="text", meaning="the user's public name; may be empty"),
    "first_name": Column(name="firstName", type="text", meaning="the user's first name; may be empty"),
}
_LAYER = 3

_USERS: Needed = {"users": {"id": "id"}}
_ADMIN: Needed = {"user_admin_informations": {"user_id": "id", "freeze_reason": "text"}}
_FROZEN = "tminus_frozen AS (SELECT DISTINCT user_id FROM user_admin_informations WHERE freeze_reason IS NOT NULL)"
_GIVEN = """
tminus_given AS (
    SELECT g.id FROM unnest(string_to_array(CAST($user_ids AS TEXT), '
')) AS g(id)
)"""
_IS_GIVEN = "u.id IN (SELECT id FROM tminus_given)"
_MARKETPLACE_ONLY = (
    "reads tables of the built-in marketplace: in a workspace with models write it as a condition in where"
)


def job_of(criteria: Criteria, workspace: Workspace) -> Job:
    """Return the job that finds who fits the criteria; it takes no arguments: what they ask for are its defaults.

    Its one audience, `default`, has username and firstName, or else the columns of the custom query, and those of the
    data packs. A user comes once, unless the custom query names them more often. Without a table `users`, the custom
    query alone says who there is.

    A workspace with models says there who the people are: no one else is found.

    Raises BadCriteria where a filter or a data pack reads what the workspace lacks.
    """
    if workspace.has_models:
        return _people_job(criteria, workspace)
    tables, declaring = workspace.tables, workspace.filters_from
    if tables.lacking({name: table.types for name, table in declaring.tables.items()}):
        _check_tables(criteria, tables, declaring.tables)
    return _job(criteria, tables)


def _people_job(criteria: Criteria, workspace: Workspace) -> Job:
    from audience_jobs.people_job import people_job  # noqa: PLC0415 - the marketplace has no people

    places = [*map(_place, _in_order(criteria)), *(["dataPacks"] if criteria.data_packs else [])]
    if places:
        raise BadCriteria((place, _MARKETPLACE_ONLY) for place in places)
    return people_job(criteria, workspace.models, audience=AUDIENCE, user_id=_USER_ID, layer=_LAYER)


def _place(asked: Asked) -> str:
    return f"filters.{asked.filter.name}"


def _check_tables(criteria: Criteria, tables: Tables, known: Tables) -> None:
    """Raise BadCriteria where a part reads what `tables` lack; `known` are those for which the parts are written."""
    every = _columns_of(Criteria(), known)
    parts = [(_place(asked), Criteria(filters=(asked,))) for asked in _in_order(criteria)]
    parts += [("filters.manualUserIds", Criteria(user_ids=criteria.user_ids))] if criteria.user_ids else []
    parts += [("dataPacks", Criteria(data_packs=(pack,))) for pack in criteria.data_packs]
    errors: list[tuple[str, list[str]]] = []
    if parts or "users" in tables or not criteria.custom_query:
        errors.append(("customQuery" if criteria.custom_query else "filters", tables.lacking(_USERS)))
    for place, part in parts:
        own = {
            table: {name: type_ for name, type_ in columns.items() if name not in every.get(table, ())}
            for table, columns in _columns_of(part, known).items()
        }
        errors.append((place, tables.lacking(own)))
    if found := [(place, _lacks(lacking)) for place, lacking in errors if lacking]:
        raise BadCriteria(found)


def _lacks(lacking: list[str]) -> str:
    return f"needs {', '.join(lacking)}, which tables.toml of the workspace lacks"


def _columns_of(criteria: Criteria, tables: Tables) -> Needed:
    """Return what a job of criteria reads in tables that have it."""
    from audience_jobs.columns_read import columns_read  # noqa: PLC0415 - sqlglot takes a while to load

    return columns_read(query_of(criteria, tables), tables)


def query_of(criteria: Criteria, tables: Tables) -> "Query":
    """Return the query of a job of criteria over tables. Raises RefusedQuery where it is none that may run."""
    from audience_jobs.query import read_query  # noqa: PLC0415 - as above

    job = _job(criteria, tables)
    parameters = ["now", *(parameter.name for parameter in job.parameters)]
    return read_query(job.sql, parameters=parameters, tables=tables)


def _job(criteria: Criteria, tables: Tables) -> Job:
    conditions = list(_conditions(criteria))
    query, packs = criteria.custom_query, criteria.data_packs
    frozen = [] if tables.lacking(_ADMIN) else [_FROZEN]
    withs = dict.fromkeys([*frozen, *chain.from_iterable(needed for needed, _ in conditions)])
    columns = [(column, f"q.{quoted(column.name)}") for column in query.columns] if query else _about_user(tables)
    for pack in packs:
        columns += [(column, f"{pack.table}.{expression}") for column, expression in pack.columns]
    selected = ", ".join(f"{expression} AS {quoted(column.name)}" for column, expression in columns)
    joins = [f"JOIN {pack.table} ON {pack.table}.user_id = c.user_id" for pack in packs]
    if query:
        withs[f"tminus_asked AS ({query.sql})"] = None
        joins.insert(0, "JOIN tminus_asked q ON CAST(q.user_id AS TEXT) = c.user_id")
    queries = [*withs, _chosen([condition for _, condition in conditions], tables)]
    queries += dict.fromkeys(chain.from_iterable(pack.shared for pack in packs))
    queries += [pack.queries("tminus_chosen") for pack in packs]
    sql = f"""WITH {", ".join(queries)}
SELECT '{AUDIENCE}' AS audience, c.user_id{f", {selected}" if selected else ""}
FROM tminus_chosen c {" ".join(joins)}"""  # noqa: S608 (constants, quoted names and a checked, rewritten query)
    declared = (_USER_ID, *(column for column, _ in columns))
    return Job(
        id="query_audience",
        title="Users who fit a recipe's criteria",
        layer=_LAYER,
        parameters=tuple(_parameters(criteria)),
        audiences=(Audience(name=AUDIENCE, columns=declared, meaning="users who fit the recipe's criteria"),),
        sql=sql,
        freshness=next((asked.filter.freshness for asked in criteria.filters if asked.filter.freshness), None),
    )


def _about_user(tables: Tables) -> list[tuple[Column, str]]:
    known = {name: column for name, column in _ABOUT_USER.items() if not tables.lacking({"users": {name: "text"}})}
    return [(column, f"c.{name}") for name, column in known.items()]


def _chosen(conditions: list[str], tables: Tables) -> str:
    """Return the WITH query of users who fit the filters; an export may list a user twice, and one row is enough."""
    if tables.lacking(_USERS):
        return "tminus_chosen AS (SELECT DISTINCT CAST(user_id AS TEXT) AS user_id FROM tminus_asked)"
    about = "".join(f", min(u.{expression[2:]}) AS {expression[2:]}" for _, expression in _about_user(tables))
    known = [*_not_deleted(tables), "u.id IS NOT NULL"]
    if not tables.lacking(_ADMIN):
        known.append("NOT EXISTS (SELECT 1 FROM tminus_frozen f WHERE f.user_id = u.id)")
    return f"""
tminus_chosen AS (
    SELECT u.id AS user_id{about}
    FROM users u
    WHERE {" AND ".join([*known, *conditions])}
    GROUP BY u.id
)"""  # noqa: S608 (made of constants)


def _not_deleted(tables: Tables) -> list[str]:
    """Return the condition that a user is not deleted: a number is 0 then, anything else is empty."""
    type_ = tables["users"].types.get("deleted_at")
    return [] if type_ is None else ["u.deleted_at = 0" if type_ == "integer" else "u.deleted_at IS NULL"]


def _conditions(criteria: Criteria) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the WITH queries that each filter needs, and its condition on a user `u`."""
    for asked in _with_value(criteria):
        yield asked.filter.queries, asked.filter.sql
    if criteria.user_ids:
        yield (_GIVEN,), _IS_GIVEN
    for asked in criteria.filters:
        if not asked.filter.parameter:
            yield asked.filter.queries, asked.filter.sql if asked.value else f"NOT {asked.filter.sql}"


def _in_order(criteria: Criteria) -> list[Asked]:
    """Return the filters that have a value of their own before those that are true or false."""
    return sorted(criteria.filters, key=lambda asked: not asked.filter.parameter)


def _with_value(criteria: Criteria) -> list[Asked]:
    return [asked for asked in criteria.filters if asked.filter.parameter]


def _parameters(criteria: Criteria) -> Iterator[Parameter]:
    for asked in _with_value(criteria):
        yield _parameter(asked.filter.parameter, _bound(asked.value))
    if criteria.user_ids:
        yield _parameter("user_ids", "\n".join(criteria.user_ids))  # engines bind lists differently


def _parameter(name: str, value: int | str) -> Parameter:
    type_: Literal["integer", "text"] = "integer" if isinstance(value, int) else "text"
    return Parameter(name=name, type=type_, default=value, meaning="as in the recipe")


def _bound(value: FilterValue) -> int | str:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value
