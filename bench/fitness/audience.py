"""An audience of conditions on people and on what they did, and the same people with pandas."""

from pathlib import Path

from audience_jobs.criteria import read_criteria
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.query_based import AUDIENCE, job_of
from audience_jobs.workspace import Workspace
from bench.marketplace.world import AT

_WORKSPACE = Path(__file__).parent
WHERE = {
    "all": [
        {"column": "city", "op": "one_of", "value": ["Berlin", "Wien", "Köln"]},
        {
            "any": [
                {"column": "plan", "op": "is", "value": "plus"},
                {"column": "level", "op": "at_least", "value": 40},
            ]
        },
        {
            "did": "workouts",
            "times": {"at_least": 3},
            "within_days": 30,
            "where": {"column": "minutes", "op": "at_least", "value": 30},
        },
        {"did_not": "visits", "within_days": 14},
    ]
}


def with_duckdb(world: Path, out: Path) -> int:
    """Write the audience as a recipe would find it; return the number of people."""
    workspace = Workspace(_WORKSPACE)
    job = job_of(read_criteria({"where": WHERE}, workspace), workspace)
    with DuckDBEngine(world, workspace).run(job, {}, now=AT) as run:
        return run.write_audience(AUDIENCE, out / "audience.csv")


def with_pandas(world: Path, out: Path) -> int:
    """Write the same people; return their number."""
    import pandas as pd  # noqa: PLC0415 - only the peer needs it

    now = pd.Timestamp(AT).tz_localize(None)
    members = pd.read_parquet(world / "members.parquet")
    chosen = members[
        members.city.isin(["Berlin", "Wien", "Köln"]) & ((members.plan == "plus") | (members.level >= 40))
    ]
    workouts = pd.read_parquet(world / "workouts.parquet", columns=["member_id", "started_at", "minutes"])
    recent = workouts[workouts.started_at.between(now - pd.Timedelta(days=30), now) & (workouts.minutes >= 30)]
    often = recent.member_id.value_counts()
    visits = pd.read_parquet(world / "visits.parquet")
    seen = visits[visits["at"].between(now - pd.Timedelta(days=14), now)].member_id
    chosen = chosen[chosen.id.isin(often[often >= 3].index) & ~chosen.id.isin(seen)]
    chosen.to_csv(out / "audience.csv", index=False)
    return len(chosen)
