"""Make an audience job from criteria, so that a query-based audience is built and checked like any other."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from audience_jobs.contract import Audience, Column, Freshness, Job, Parameter
from audience_jobs.criteria import Criteria
from audience_jobs.data_packs import DATA_PACKS
from audience_jobs.shoes import SHOES
from audience_jobs.sql import quoted

AUDIENCE = "default"
"""The one audience of a query-based recipe, and what old recipes call an audience that they do not name."""

_USER_ID = Column(name="user_id", type="text", meaning="the user's id")
_ABOUT_USER = (
    Column(name="username", type="text", meaning="the user's public name; may be empty"),
    Column(name="firstName", type="text", meaning="the user's first name; may be empty"),
)
_LAYER = 3
_FRESHNESS = Freshness(table="user_activities", column="last_active", hours=24 * 7)

_FROZEN = "frozen AS (SELECT DISTINCT user_id FROM user_admin_informations WHERE freeze_reason IS NOT NULL)"
_CANDIDATES = "candidates AS (SELECT DISTINCT user_id FROM user_admin_informations WHERE is_trusted_trader_candidate)"
_SEEN = "seen AS (SELECT user_id, max(last_active) AS last_active FROM user_activities GROUP BY user_id)"
# Both sides of an offer that became a trade have traded.
_TRADED = """
validated AS (
    SELECT o.creator_user_id, o.receiver_user_id, t.validation_passed_date AS traded_at
    FROM trades t JOIN offers o ON o.id = t.offer_id
    WHERE t.validation_passed_date <= CAST($now AS TIMESTAMP)
),
traded AS (
    SELECT user_id, max(traded_at) AS traded_at
    FROM (SELECT creator_user_id AS user_id, traded_at FROM validated
          UNION ALL
          SELECT receiver_user_id, traded_at FROM validated) AS sides
    GROUP BY user_id
)"""
_GIVEN = """
given AS (
    SELECT g.id FROM unnest(string_to_array(CAST($user_ids AS TEXT), '
')) AS g(id)
)"""


def _ago(parameter: str) -> str:
    return f"CAST($now AS TIMESTAMP) - CAST(${parameter} AS INTEGER) * INTERVAL '1 day'"


def _seen(condition: str) -> str:
    return f"u.id IN (SELECT user_id FROM seen WHERE last_active {condition})"  # noqa: S608 (made of constants)


def _traded_since(parameter: str) -> str:
    # NOT IN would be wrong where a user_id is NULL.
    return f"EXISTS (SELECT 1 FROM traded t WHERE t.user_id = u.id AND t.traded_at >= {_ago(parameter)})"  # noqa: S608 (as above)


# Each field of Criteria with the WITH query that it needs, if any, and its condition on a user `u`.
_VALUED = {
    "last_active_days": (_SEEN, _seen(f">= {_ago('last_active_days')}")),
    "inactive_days": (_SEEN, _seen(f"< {_ago('inactive_days')}")),
    "traded_days": (_TRADED, _traded_since("traded_days")),
    "not_traded_days": (_TRADED, f"NOT {_traded_since('not_traded_days')}"),
    "min_lifetime_trades": ("", "coalesce(u.completed_trades_count, 0) >= CAST($min_lifetime_trades AS INTEGER)"),
    "max_lifetime_trades": ("", "coalesce(u.completed_trades_count, 0) <= CAST($max_lifetime_trades AS INTEGER)"),
    "joined_after": ("", "u.created_at >= CAST($joined_after AS TIMESTAMP)"),
    "user_ids": (_GIVEN, "u.id IN (SELECT id FROM given)"),
}
_YES_OR_NO = {
    "trusted_trader": ("", "coalesce(u.is_trusted_trader, FALSE)"),
    "trusted_trader_candidate": (_CANDIDATES, "EXISTS (SELECT 1 FROM candidates d WHERE d.user_id = u.id)"),
}
_NOT_GIVEN = (None, ())


def job_of(criteria: Criteria) -> Job:
    """Return the job that finds who fits the criteria; it takes no arguments: what they ask for are its defaults.

    Its one audience, `default`, has username and firstName, or else the columns of the custom query, and those of the
    data packs. A user comes once, unless the custom query names them more often.
    """
    conditions = list(_conditions(criteria))
    query, packs = criteria.custom_query, [DATA_PACKS[name] for name in criteria.data_packs]
    withs = dict.fromkeys([_FROZEN, *(needed for needed, _ in conditions if needed)])
    columns = [(column, f"q.{quoted(column.name)}") for column in query.columns] if query else _about_user()
    for pack in packs:
        columns += [(column, f"{pack.table}.{expression}") for column, expression in pack.columns]
    selected = ", ".join(f"{expression} AS {quoted(column.name)}" for column, expression in columns)
    joins = [f"JOIN {pack.table} ON {pack.table}.user_id = c.user_id" for pack in packs]
    if query:
        withs[f"asked AS ({query.sql})"] = None
        joins.insert(0, "JOIN asked q ON CAST(q.user_id AS TEXT) = c.user_id")
    queries = [*withs, _chosen([condition for _, condition in conditions])]
    queries += [SHOES, *(pack.queries("chosen") for pack in packs)] if packs else []
    sql = f"""WITH {", ".join(queries)}
SELECT '{AUDIENCE}' AS audience, c.user_id{f", {selected}" if selected else ""}
FROM chosen c {" ".join(joins)}"""  # noqa: S608 (constants, quoted names and a checked, rewritten query)
    activity = criteria.last_active_days is not None or criteria.inactive_days is not None
    declared = (_USER_ID, *(column for column, _ in columns))
    return Job(
        id="query_audience",
        title="Users who fit a recipe's criteria",
        layer=_LAYER,
        parameters=tuple(_parameters(criteria)),
        audiences=(Audience(name=AUDIENCE, columns=declared, meaning="users who fit the recipe's criteria"),),
        sql=sql,
        freshness=_FRESHNESS if activity else None,
    )


def _about_user() -> list[tuple[Column, str]]:
    return list(zip(_ABOUT_USER, ("c.username", "c.first_name"), strict=True))


def _chosen(conditions: list[str]) -> str:
    """Return the WITH query of users who fit the filters; an export may list a user twice, and one row is enough."""
    return f"""
chosen AS (
    SELECT u.id AS user_id, min(u.username) AS username, min(u.first_name) AS first_name
    FROM users u
    WHERE u.deleted_at = 0 AND u.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM frozen f WHERE f.user_id = u.id)
        {" ".join(f"AND {condition}" for condition in conditions)}
    GROUP BY u.id
)"""  # noqa: S608 (made of constants)


def _conditions(criteria: Criteria) -> Iterator[tuple[str, str]]:
    """Yield the WITH query that each filter needs, if any, and its condition on a user `u`."""
    for name, (needed, condition) in _VALUED.items():
        if getattr(criteria, name) not in _NOT_GIVEN:
            yield needed, condition
    for name, (needed, condition) in _YES_OR_NO.items():
        wanted = getattr(criteria, name)
        if wanted is not None:
            yield needed, condition if wanted else f"NOT {condition}"


def _parameters(criteria: Criteria) -> Iterator[Parameter]:
    for name in _VALUED:
        value = getattr(criteria, name)
        if value not in _NOT_GIVEN:
            kind: Literal["integer", "text"] = "integer" if isinstance(value, int) else "text"
            yield Parameter(name=name, type=kind, default=_bound(value), meaning="as in the recipe")


def _bound(value: int | datetime | tuple[str, ...]) -> int | str:
    """Return what is bound for a value: several ids are one text, since engines bind lists differently."""
    if isinstance(value, tuple):
        return "\n".join(value)
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value
