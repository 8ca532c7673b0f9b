"""Phones that change hands and tokens with white space around them, and who is to get a push on which."""

from pathlib import Path
from typing import Any

from audience_jobs.contract import Engine
from tests.audience_jobs.worlds import NOW, hours_ago, rows_of
from tests.audience_jobs.written import sample_job

ANN = "0b0e7a52-9f4e-4b0e-8f7a-00000000abcd"


def device(user_id: str | None, token: str, hours: float | None, platform: str = "ios") -> dict[str, Any]:
    """Return a row of devices, registered so many hours ago."""
    at = None if hours is None else hours_ago(hours)
    return {"user_id": user_id, "token": token, "platform": platform, "updated_at": at}


DEVICES = [
    device("first", "sold", 9),
    device("second", "sold", 1),
    device("second", "own", 5),
    device("back", "lent", 1),
    device("guest", "lent", 2),
    device("back", "lent", 3),
    # at the same time, without a time, and signed out since
    device("tie-b", "tie", 4),
    device("tie-a", "tie", 4),
    device("never-b", "never", None),
    device("never-a", "never", None),
    device("dated", "half", 900),
    device("undated", "half", None),
    device("gone", "signed-out", 3),
    device(None, "signed-out", 2),
    # one id in two spellings
    device(ANN.upper(), "case", 2),
    device("other", "case", 3),
    # white space around tokens and ids
    device("spaces", "tok-1 ", 3),
    device("spaces", "\ttok-2", 2),
    device("spaces", " \u00a0tok 3\r\n\ufeff", 1),
    device("before", "moved", 5),
    device("after", "moved ", 4),
    device(" padded\t", "pad", 1),
    device("blank", " \t", 1),
]
OWNERS = {
    "second": ["sold", "own"],
    "back": ["lent"],
    "tie-a": ["tie"],
    "never-a": ["never"],
    "dated": ["half"],
    ANN: ["case"],
    "spaces": ["tok 3", "tok-2", "tok-1"],
    "after": ["moved"],
    "padded": ["pad"],
}
USERS = [*OWNERS, "first", "guest", "tie-b", "never-b", "undated", "gone", "other", "before", "blank"]


def tokens_of(engine: Engine, users: list[str], path: Path, *, job: bool, per_user: int = 9) -> dict[str, list[str]]:
    """Return the tokens that an engine finds for users, either of a job or given."""
    if job:
        selects = " UNION ALL ".join(f"SELECT 'all' AS audience, '{user}' AS user_id" for user in users)
        with engine.run(sample_job(selects), {}, now=NOW) as run:
            run.write_devices("all", path, per_user=per_user)
    else:
        engine.write_devices_of(users, path, per_user=per_user)
    found: dict[str, list[str]] = {}
    for row in rows_of(path):
        found.setdefault(row["user_id"], []).append(row["token"])
    return found
