"""Make an audience job over the people of a workspace: who fits conditions, with the columns of models."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from audience_jobs.conditions.sql import Compiled, bound, compiled
from audience_jobs.conditions.traits import columns_of
from audience_jobs.conditions.tree import EVERYBODY
from audience_jobs.contract import Audience, Check, Column, Job
from audience_jobs.criteria import Criteria
from audience_jobs.sql import literal, quoted

if TYPE_CHECKING:
    from audience_jobs.workspace.models import Models

_DOUBLED = """SELECT count(*) FROM (
    SELECT user_id FROM job_rows GROUP BY user_id HAVING count(*) > 1
) AS several"""
_GIVEN = """tminus_given AS (
    SELECT g.id FROM unnest(string_to_array(CAST($user_ids AS TEXT), '
')) AS g(id)
)"""


def people_job(criteria: Criteria, models: "Models", *, audience: str, user_id: Column, layer: int) -> Job:
    """Return the job that finds the people who fit the criteria.

    Each comes once, unless a custom query names them more often. The audience has the columns of people, or else
    those of the custom query, and those of the joined models.
    """
    where = compiled(criteria.where or EVERYBODY)
    parameters = {**where.values, **({"user_ids": "\n".join(criteria.user_ids)} if criteria.user_ids else {})}
    columns = list(_columns(criteria, models))
    return Job(
        id="query_audience",
        title="Users who fit a recipe's criteria",
        layer=layer,
        parameters=tuple(bound(parameters)),
        audiences=(
            Audience(
                name=audience,
                columns=(user_id, *(column for column, _ in columns)),
                meaning="users who fit the recipe's criteria",
            ),
        ),
        sql=_sql(criteria, where, dict(columns), audience),
        checks=() if criteria.custom_query else (_one_row_per_user(criteria),),
    )


def _one_row_per_user(criteria: Criteria) -> Check:
    joined = [each.model for each in criteria.joined]
    models = f"people, or in {' or '.join(joined)} of audienceCriteria.with" if joined else "people"
    which = "; tminus check says which model it is" if joined else ""
    meaning = f"users have several rows in {models}: make it one row a user{which}"
    return Check(name="one_row_per_user", failing_sql=_DOUBLED, meaning=meaning)


def _columns(criteria: Criteria, models: "Models") -> Iterator[tuple[Column, str]]:
    """Yield the columns of the audience but `user_id`, each with where it is from."""
    own = criteria.custom_query.columns if criteria.custom_query else columns_of(models["people"])
    yield from ((column, "q" if criteria.custom_query else "c") for column in own)
    for number, joined in enumerate(criteria.joined, start=1):
        yield from ((column, f"w{number}") for column in joined.columns)


def _sql(criteria: Criteria, where: Compiled, columns: Mapping[Column, str], audience: str) -> str:
    queries = [_GIVEN] if criteria.user_ids else []
    joins = []
    if criteria.custom_query:
        queries.append(f"tminus_asked AS ({criteria.custom_query.sql})")
        joins.append("JOIN tminus_asked q ON CAST(q.user_id AS TEXT) = c.user_id")
    for number, joined in enumerate(criteria.joined, start=1):
        kind = "LEFT JOIN" if joined.optional else "JOIN"
        joins.append(f"{kind} {quoted(joined.model)} w{number} ON w{number}.user_id = c.user_id")
    kept = [quoted(column.name) for column, source in columns.items() if source == "c"]
    given = " AND p.user_id IN (SELECT id FROM tminus_given)" if criteria.user_ids else ""
    queries.append(f"""tminus_chosen AS (
    SELECT {", ".join(f"p.{name}" for name in ["user_id", *kept])}
    FROM people p
    WHERE p.user_id IS NOT NULL{given} AND {where.sql}
)""")  # noqa: S608 (quoted names and bound values)
    selected = [f"{source}.{quoted(column.name)}" for column, source in columns.items()]
    return f"""WITH {", ".join(queries)}
SELECT {", ".join([f"{literal(audience)} AS audience", "c.user_id", *selected])}
FROM tminus_chosen c {" ".join(joins)}"""  # noqa: S608 (as above, and a checked, rewritten query)
