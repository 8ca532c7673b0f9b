"""The small working job that `tminus jobs new` writes."""

import re
from pathlib import Path

from audience_jobs import jobs
from functions.domain.errors import BadInput

JOBS = Path(jobs.__path__[0])
"""The folder of the registry."""
_TEMPLATE = '''"""Users who have not opened the app lately."""

from audience_jobs.contract import Audience, Column, Freshness, Job, Parameter
from audience_jobs.sql import is_blank

# One SELECT in PostgreSQL's dialect. It yields `audience`, `user_id` and every column that is declared below.
# Parameters are read as $name, and the time as $now (UTC), so that a repeat gives the same rows.
_SQL = f"""
WITH activity AS (
    SELECT user_id, max(last_active) AS last_active FROM user_activities GROUP BY user_id
)
SELECT 'quiet-users' AS audience, u.id AS user_id, u.first_name AS "firstName", a.last_active AS "lastActive"
FROM users u JOIN activity a ON a.user_id = u.id
WHERE u.deleted_at = 0 AND NOT {is_blank("u.first_name")}
  AND a.last_active < CAST($now AS TIMESTAMP) - CAST($quiet_days AS INTEGER) * INTERVAL '1 day'
"""  # noqa: S608 (made of constants; what a recipe gives is bound)

JOB = Job(
    id="@NAME@",
    title="Users who have not opened the app lately",
    layer=3,
    parameters=(
        Parameter(
            name="quiet_days",
            type="integer",
            default=14,
            minimum=1,
            maximum=365,
            meaning="how many days ago users have to have opened the app last, at least",
        ),
    ),
    audiences=(
        Audience(
            name="quiet-users",
            columns=(
                Column(name="user_id", type="text", meaning="the user's id"),
                Column(name="firstName", type="text", meaning="the user's first name; never blank"),
                Column(name="lastActive", type="timestamp", meaning="when the user last opened the app"),
            ),
            meaning="users who have not opened the app for a while",
        ),
    ),
    sql=_SQL,
    # No audience is built from data whose newest row is older than this.
    freshness=Freshness(table="user_activities", column="last_active", hours=24 * 7),
)
'''


def write_job(name: str, folder: Path | None = None) -> Path:
    """Write the job `name` into a folder, by default the registry's, and return its file.

    Raises BadInput if the name is not a valid module name or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise BadInput(f"{name!r} cannot be a job's name: write lower case letters, digits and _, a letter first")
    path = (folder or JOBS) / f"{name}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.replace("@NAME@", name))
    except FileNotFoundError:
        raise BadInput(f"{path.parent}: no such folder; make it first") from None
    except FileExistsError:
        raise BadInput(f"{path} already exists: choose another name") from None
    return path
