"""How fast audiences are built: `python -m bench.audiences` prints it and writes bench/out/audiences.json.

Every job, and an audience of conditions in another workspace, runs in a fresh process on all cores: first on
DuckDB, then as a script with pandas on the same files. Both have to find the same number of users. The growth is that
from the smallest world to the largest: an exponent of 1 is linear.
"""

import argparse
import importlib
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.registry import find
from audience_jobs.workspace import marketplace
from bench import figures
from bench.figures import say, table
from bench.fitness import audience as conditions
from bench.fitness import world as fitness
from bench.marketplace.world import AT, EVENTS_PER_USER, make, product
from bench.process import Usage

_OUT = Path(__file__).parent / "out" / "audiences.json"
_WORLDS = Path(__file__).parent / "out" / "audience-worlds"
_ROOT = Path(__file__).parent.parent
_JOBS = (
    "generate_layer_3_push_csvs",
    "generate_new_user_waterfall",
    "generate_layer_2_push_csv",
    "generate_showcase_push_csvs",
)
_CONDITIONS = "conditions"
"""The audience that is found by conditions; its world is a folder of that name in the others'."""
_SIZES = (100_000, 1_000_000)


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.audiences", description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=_SIZES, help="sizes of worlds (default: %(default)s)")
    parser.add_argument(
        "--peer-at", type=int, help="the size at which pandas runs (default: 1,000,000 or the largest)"
    )
    parser.add_argument(
        "--worlds", type=Path, default=_WORLDS, help="where user data are kept (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    options = parser.parse_args(arguments)
    sizes = sorted(options.users)
    peer_at = options.peer_at or (1_000_000 if 1_000_000 in sizes else sizes[-1])
    found: dict[str, Any] = {"users": peer_at, "events": EVENTS_PER_USER * peer_at, "jobs": {}}
    for size in sizes:
        say(f"making {size:,} users with {EVENTS_PER_USER * size:,} events, unless they exist")
        make(options.worlds / str(size), size)
        fitness.make(options.worlds / str(size) / _CONDITIONS, size)
    for job in (*_JOBS, _CONDITIONS):
        found["jobs"][job] = _measured(job, options.worlds, sizes, peer_at)
    figures.keep(options.out, found)
    _show(found)
    return 0


def _measured(job: str, worlds: Path, sizes: list[int], peer_at: int) -> dict[str, Any]:
    runs = {size: _alone("duckdb", job, worlds / str(size)) for size in sizes}
    ours, peer = runs[peer_at], _alone("pandas", job, worlds / str(peer_at))
    if ours["users"] != peer["users"]:
        raise RuntimeError(f"{job}: DuckDB found {ours['users']} users, pandas {peer['users']}")
    first, last = sizes[0], sizes[-1]
    slope = math.log(runs[last]["seconds"] / runs[first]["seconds"]) / math.log(last / first) if last > first else 1.0
    return {
        "users_found": ours["users"],
        "seconds": round(ours["seconds"], 2),
        "peak_mib": round(ours["peak_mib"]),
        "pandas_seconds": round(peer["seconds"], 2),
        "pandas_peak_mib": round(peer["peak_mib"]),
        "ratio_to_pandas": round(peer["seconds"] / ours["seconds"], 2),
        "growth_exponent": round(slope, 2),
        "by_users": {str(size): {k: round(run[k], 2) for k in ("seconds", "peak_mib")} for size, run in runs.items()},
    }


def _alone(engine: str, job: str, world: Path) -> dict[str, Any]:
    """Run a job in its own process, and return the users it found, seconds and peak memory."""
    command = [sys.executable, "-c", "import sys; from bench.audiences import one; one(*sys.argv[1:])"]
    done = subprocess.run([*command, engine, job, str(world)], capture_output=True, text=True, cwd=_ROOT, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{job} on {engine} ended with {done.returncode}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    say(f"  {world.name:>9} users  {engine:6}  {job:30} {answer['seconds']:6.2f} s  {answer['peak_mib']:6.0f} MiB")
    return answer


def one(engine: str, job: str, world: str) -> None:
    """Run one job in this process, and print the users it found, seconds and peak memory as JSON."""
    with TemporaryDirectory(prefix="tminus-bench-") as out:
        work = _with_duckdb if engine == "duckdb" else _with_pandas
        if engine == "pandas":
            importlib.import_module("bench.marketplace.peer")  # the import is not part of the job
        usage = Usage()
        users = work(job, Path(world), Path(out))
        sys.stdout.write(json.dumps({"users": users, **usage.document()}))


def _with_duckdb(job_id: str, world: Path, out: Path) -> int:
    if job_id == _CONDITIONS:
        return conditions.with_duckdb(world / _CONDITIONS, out)
    job = find(job_id, marketplace())
    arguments = {"product_id": product()} if any(p.name == "product_id" for p in job.parameters) else {}
    with DuckDBEngine(world, marketplace()).run(job, arguments, now=AT) as run:
        return sum(run.write_audience(audience.name, out / "audience.csv") for audience in job.audiences)


def _with_pandas(job_id: str, world: Path, out: Path) -> int:
    if job_id == _CONDITIONS:
        return conditions.with_pandas(world / _CONDITIONS, out)
    return int(getattr(importlib.import_module("bench.marketplace.peer"), job_id)(world, out))


def _show(found: dict[str, Any]) -> None:
    names = (
        "users_found",
        "seconds",
        "peak_mib",
        "pandas_seconds",
        "pandas_peak_mib",
        "ratio_to_pandas",
        "growth_exponent",
    )
    say(f"{found['users']:,} users, {found['events']:,} events")
    table(["job", *names], [[job, *(row[name] for name in names)] for job, row in found["jobs"].items()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
