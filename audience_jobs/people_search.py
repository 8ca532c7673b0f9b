"""Jobs that find people by what they are called, or one person by id, with their public columns."""

from collections.abc import Sequence

from audience_jobs.conditions.traits import columns_of
from audience_jobs.contract import Audience, Column, Job, Parameter
from audience_jobs.one_user import is_user, user_parameter
from audience_jobs.sql import quoted
from audience_jobs.workspace.models import Models

AUDIENCE = "people"
_ASKED = "tminus_asked"


def search_job(models: Models, searched: Sequence[str], text: str, *, most: int) -> Job:
    """Return the job that finds people whose id is a text, or with a searched column that begins with it.

    Upper and lower case are the same. At most `most` people are found, those with the very text first. Private
    columns may be searched; they are not in the result.
    """
    asked = f"CAST(${_ASKED} AS TEXT)"
    values = [f"lower(CAST(p.{quoted(name)} AS TEXT))" for name in ("user_id", *searched)]
    begins = " OR ".join(
        [f"{values[0]} = {asked}", *(f"substr({value}, 1, {len(text)}) = {asked}" for value in values[1:])]
    )
    exact = " OR ".join(f"{value} = {asked}" for value in values)
    order = f"CASE WHEN {exact} THEN 0 ELSE 1 END, p.user_id"
    parameter = Parameter(name=_ASKED, type="text", default=text.lower(), meaning="what the person is called")
    return _job(models, f"({begins})", parameter, f" ORDER BY {order} LIMIT {most}")


def person_job(models: Models, user_id: str) -> Job:
    """Return the job that finds one person by id."""
    return _job(models, is_user("p.user_id", user_id), user_parameter(user_id), "")


def _job(models: Models, where: str, parameter: Parameter, rest: str) -> Job:
    columns = (Column(name="user_id", type="text", meaning="the user"), *columns_of(models["people"]))
    names = ", ".join(f"p.{quoted(column.name)}" for column in columns)
    return Job(
        id="people",
        title="People by what they are called",
        layer=1,
        parameters=(parameter,),
        audiences=(Audience(name=AUDIENCE, columns=columns, meaning="the people found"),),
        sql=f"SELECT '{AUDIENCE}' AS audience, {names} FROM people p WHERE {where}{rest}",  # noqa: S608 (quoted names and bound values)
    )
