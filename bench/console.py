"""How long the console's pages take: `python -m bench.console` prints it and writes bench/out/console.json.

It runs in this process, on the embedded runtime with 1,000 recipes and 100,000 executions, without the time of a
browser and a network. A first load is the page and the files it needs, as they are sent. The peer is a function on
functions-framework that answers a constant. `cpu_ms` is the processor time of a page, which other load on the machine
does not change.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from werkzeug.test import Client

from bench import figures
from bench.figures import say, table
from functions import bootstrap
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.ids import execution_id
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.timeline import Phase
from functions.handlers.console.assets import NAMES, asset
from functions.settings import Settings
from functions.usecases.by_hand.start import start_by_hand
from local.cli.options import RECIPES
from local.embedded.clock import VirtualClock
from local.embedded.instants import to_micros
from local.embedded.system import EmbeddedSystem
from local.pictures.console_stage import fill_data
from local.runtime.functions import Runtime, load_functions
from local.runtime.recipe_files import read_recipe_file
from local.runtime.serving import FUNCTIONS, SOURCE

_OUT = Path(__file__).parent / "out" / "console.json"
_NOW = datetime(2026, 5, 5, 22, 18, tzinfo=UTC)
_MOST_CPU_MS = 40
_ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo")
_BARE = """\
import functions_framework


@functions_framework.http
def nothing(request):
    return "nothing"
"""


def main(arguments: list[str]) -> int:
    """Measure, print and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--recipes", type=int, default=1_000)
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=30, help="visits of each page, after two that do not count")
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="tminus-bench-") as name:
        found = _measure(Path(name), options)
    figures.keep(options.out, found)
    columns = ("p50_ms", "cpu_ms", "first_load_kb")
    table(
        ["page", *columns], [[page, *(figures[name] for name in columns)] for page, figures in found["pages"].items()]
    )
    say(f"a bare function answers in {found['bare_ms']} ms; the slowest page takes {found['p50_ms']} ms")
    say(f"the most processor time of a page is {found['cpu_ms']} ms; the budget is {_MOST_CPU_MS} ms")
    return 0


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    system = _filled(folder, options.recipes, options.executions)
    try:
        running = _run_one(system)
        bootstrap.collect_rarely()  # as in every process that serves a function
        client, pages = Client(load_functions(("console",), SOURCE)["console"]), dict[str, Mapping[str, float]]()
        with bootstrap.bind(system.ports):
            for page, path in _paths(running).items():
                taken, cpu, size = _visit(client, path, options.visits)
                load = round((size + _files()) / 1024, 1)
                pages[page] = {"p50_ms": round(taken, 1), "cpu_ms": round(cpu, 1), "first_load_kb": load}
    finally:
        system.close()
    bare = folder / "bare.py"
    bare.write_text(_BARE, encoding="utf-8")
    taken, _, _ = _visit(Client(load_functions(("nothing",), bare)["nothing"]), "/", options.visits)
    return {
        "recipes": options.recipes,
        "executions": options.executions,
        "pages": pages,
        "p50_ms": max(figures["p50_ms"] for figures in pages.values()),
        "cpu_ms": max(figures["cpu_ms"] for figures in pages.values()),
        "first_load_kb": max(figures["first_load_kb"] for figures in pages.values()),
        "bare_ms": round(taken, 2),
    }


def _paths(execution: str) -> Mapping[str, str]:
    return {
        "overview": "/",
        "overview, live": "/live",
        "recipes": "/recipes",
        "recipes, found": "/recipes?q=sneaker&sort=last",
        "recipe": "/recipes/sneaker-reactivation-0001",
        "recipe, edit": "/recipes/sneaker-reactivation-0001/edit",
        "segments": "/segments",
        "executions": "/executions",
        "executions, of one": "/executions?recipe=sneaker-reactivation-0001",
        "execution": f"/executions/{execution}",
        "execution, live": f"/executions/{execution}/live",
        "calendar": "/calendar",
        "calendar, past": "/calendar?month=2026-04",
        "cadence": "/cadence",
        "audit log": "/audit",
    }


def _visit(client: Client, path: str, visits: int) -> tuple[float, float, int]:
    """Return the median milliseconds of a page, its median processor milliseconds, and its size in bytes."""
    taken, cpu = [], []
    for _ in range(visits + 2):
        start, cpu_start = time.perf_counter(), time.process_time()
        response = client.get(path, buffered=True)
        taken.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - cpu_start) * 1000)
        if response.status_code not in (200, 286):
            raise RuntimeError(f"{path} answered {response.status_code}")
    return statistics.median(taken[2:]), statistics.median(cpu[2:]), len(response.data)


def _files() -> int:
    return sum(len(asset(name).compressed) for name in NAMES)


def _filled(folder: Path, recipes: int, executions: int) -> EmbeddedSystem:
    """Return a system with so many recipes, stored as a save stores them, and so many ended executions."""
    fill_data(folder / "data")
    settings = replace(Settings(), state_dir=folder / "state", user_data_dir=folder / "data")
    system = bootstrap.embedded(settings, VirtualClock(_NOW - timedelta(hours=1)))
    written = read_recipe_file(RECIPES / "sneaker-reactivation.json")
    documents = [_recipe(written, number) for number in range(recipes)]
    with system.database.transaction() as connection:
        rows = [(document["id"], json.dumps(document)) for document in documents]
        connection.executemany("INSERT INTO recipes VALUES (?, ?)", rows)
        each = (_row(documents[number % recipes], number // recipes) for number in range(executions))
        connection.executemany("INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", each)
    for document in documents:
        system.ports.recipes.plan(document["id"], system.ports.clock.now())
    return system


def _recipe(written: Mapping[str, Any], number: int) -> dict[str, Any]:
    schedule = {
        **written["schedule"],
        "timezone": _ZONES[number % len(_ZONES)],
        "executionTime": f"{number % 24:02d}:{number % 60:02d}",
    }
    name = f"{written['name']} {number}"
    return {**written, "id": f"sneaker-reactivation-{number:04d}", "name": name, "schedule": schedule}


def _row(recipe: Mapping[str, Any], days_ago: int) -> tuple[object, ...]:
    send_at = _NOW - timedelta(days=days_ago + 1)
    execution = Execution(
        id=execution_id(recipe["id"], send_at),
        recipe_id=recipe["id"],
        recipe=recipe,
        send_at=send_at,
        created_at=send_at - timedelta(minutes=30),
        claim="",
        state=State.COMPLETED,
        cleaned=True,
        totals=Tally(audience_size=1_500, sent=1_200, excluded={"no_token": 300}),
    )
    micros = (to_micros(send_at), to_micros(execution.created_at))
    document = json.dumps(execution.document())
    return (execution.id, execution.recipe_id, *micros, "", "completed", False, document)


def _run_one(system: EmbeddedSystem) -> str:
    """Run one execution until its cancellation window, and return its id."""
    clock = system.ports.clock
    if not isinstance(clock, VirtualClock):
        raise TypeError("a measurement needs a virtual clock")
    apps = load_functions(FUNCTIONS, SOURCE)
    runtime = Runtime(system.queue, system.schedules, clock, apps, lambda: bootstrap.bind(system.ports))
    begun = _NOW - timedelta(minutes=5)
    clock.advance_to(begun)
    execution = start_by_hand(system.ports, "sneaker-reactivation-0001", Kind.MANUAL, begun)
    runtime.run_until(_NOW, scheduler=False)
    clock.advance_to(_NOW)
    found = system.ports.executions.get(execution.id)
    if found is None or Phase.CANCELLATION_WINDOW not in found.phases:
        raise RuntimeError(f"execution {execution.id} did not reach its cancellation window")
    return execution.id


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
