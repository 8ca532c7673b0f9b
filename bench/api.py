"""How fast the API reads: `python -m bench.api` prints it and writes bench/out/api.json.

The benchmark makes each call in this process, through functions-framework's own app, on the embedded runtime with
1,000 recipes and 100,000 executions. The peer is a bare function on functions-framework that answers an empty JSON
object. Its calls alternate with ours, so that both see the same machine.
"""

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from werkzeug.test import Client

from bench import figures
from bench.api_world import open_world
from bench.figures import say, table
from functions import bootstrap, logs
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from local.runtime.functions import load_functions
from local.runtime.serving import SOURCE

_OUT = Path(__file__).parent / "out" / "api.json"
_BUDGET_MS = 20.0
_BARE = """\
import functions_framework


@functions_framework.http
def nothing(request):
    return {}
"""
_CHECKS = {
    "audit of everything": "reads and checks each recipe against the scheduler",
    "health": "calls every dependency, and starts DuckDB on the user data",
}
"""Calls that do more than read a page. They have no budget."""
_RECIPE = "campaign-0123"


def main(arguments: list[str]) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--recipes", type=int, default=1_000)
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=200, help="calls of each kind (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    options = parser.parse_args(arguments)
    logs.log.setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="tminus-bench-") as name:
        folder = Path(name)
        (folder / "bare.py").write_text(_BARE, encoding="utf-8")
        system = open_world(folder, recipes=options.recipes, executions=options.executions)
        with closing(system):
            measured = _measure(system.ports, folder, options.calls)
    bare = statistics.median(measured.pop("bare"))
    calls = {name: _figures(taken, bare) for name, taken in measured.items()}
    sizes = {"recipes": options.recipes, "executions": options.executions}
    figures.keep(options.out, {**sizes, "bare_handler_p50_ms": round(bare, 3), "calls": calls})
    table(
        ["call", "p50 ms", "p99 ms", "times a bare handler"],
        [[name, *numbers.values()] for name, numbers in calls.items()],
    )
    say(f"a bare handler: {bare:.2f} ms; {options.recipes:,} recipes, {options.executions:,} executions")
    slow = [name for name, numbers in calls.items() if numbers["p50_ms"] > _BUDGET_MS and name not in _CHECKS]
    if slow:
        say(f"above the budget of {_BUDGET_MS:.0f} ms: {', '.join(slow)}")
    return 0


def _calls(ports: Ports) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Return the address and headers of each measured call."""
    [execution] = ports.executions.search(ExecutionSearch(recipe_id=_RECIPE), most=1)
    one, automation = f"/api/automation/{_RECIPE}/executions/{execution.id}", "/api/automation"
    executions = f"{automation}/monitor?type=executions&limit=50"
    client = _client()
    with bootstrap.bind(ports):
        etag = client.get(one).headers["ETag"]
    paths = {
        "recipes": f"{automation}/recipes",
        "recipes, the page after": f"{automation}/recipes?limit=50&cursor=campaign-0500",
        "recipes by status": f"{automation}/recipes?status=active&limit=50",
        "recipe": f"{automation}/recipes/{_RECIPE}",
        "history": f"{automation}/{_RECIPE}/history?limit=50",
        "history by state": f"{automation}/{_RECIPE}/history?limit=50&status=completed&order=asc",
        "execution": one,
        "execution, unchanged": one,
        "execution log": f"{one}/log",
        "monitor overview": f"{automation}/monitor",
        "monitor executions": executions,
        "monitor executions by date": f"{executions}&since=2026-05-01&until=2026-05-02",
        "monitor violations": f"{automation}/monitor?type=violations",
        "control": f"{automation}/control?recipeId={_RECIPE}",
        "audit of a recipe": f"{automation}/audit?recipeId={_RECIPE}",
        "audit of everything": f"{automation}/audit",
        "templates": f"{automation}/templates",
        "push logs": "/api/push-logs",
        "scripts": "/api/scripts",
        "health": "/api/health",
        "openapi": "/api/openapi.json",
    }
    conditional = {"execution, unchanged": {"If-None-Match": etag}}
    return {name: (path, conditional.get(name, {})) for name, path in paths.items()}


def _client() -> Client:
    return Client(load_functions(("api",), SOURCE)["api"], use_cookies=False)


def _measure(ports: Ports, folder: Path, calls: int) -> dict[str, list[float]]:
    """Return the milliseconds of each call, by kind."""
    client, bare = _client(), Client(load_functions(("nothing",), folder / "bare.py")["nothing"], use_cookies=False)
    asked = _calls(ports)
    taken: dict[str, list[float]] = {name: [] for name in ("bare", *asked)}
    with bootstrap.bind(ports):
        for turn in range(calls + 1):
            taken["bare"].append(_milliseconds(bare, "/", {}))
            for name, (path, headers) in asked.items():
                milliseconds = _milliseconds(client, path, headers)
                if turn:  # the first call of each kind loads modules
                    taken[name].append(milliseconds)
    return taken


def _milliseconds(client: Client, path: str, headers: Mapping[str, str]) -> float:
    start = time.perf_counter()
    answer = client.get(path, headers=headers, buffered=True)
    milliseconds = (time.perf_counter() - start) * 1_000
    if answer.status_code not in (200, 304):
        raise RuntimeError(f"GET {path} answered {answer.status_code}: {answer.text}")
    return milliseconds


def _figures(taken: list[float], bare: float) -> dict[str, Any]:
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    return {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "ratio_to_bare_handler": round(p50 / bare, 1)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
