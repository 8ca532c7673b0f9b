"""How long the console's pages take: `python -m bench.console` prints it and writes bench/out/console.json.

It runs in this process, on the embedded runtime with 1,000 recipes and 100,000 executions, without the time of a
browser and a network. A first load is the page and the files it names, compressed. The peer is a function on
functions-framework that answers a constant. `cpu_ms` is the median processor time of a page in the best of several
rounds, as other load on the machine makes it longer. `reads` are the documents that a visit reads, and `first_reads`
those of the first visit of a process, as Firestore bills them.
"""

import argparse
import gzip
import json
import re
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Request
from werkzeug.test import Client, EnvironBuilder

from bench import figures
from bench.figures import say, table
from bench.operations import Operations, counted
from functions import bootstrap
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.ids import execution_id
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.timeline import Phase
from functions.handlers.console.assets import ASSETS, asset
from functions.handlers.console.forms.guard import form_token
from functions.handlers.console.visit import Visit
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
    parser.add_argument("--visits", type=int, default=30, help="visits of each page in a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts")
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="tminus-bench-") as name:
        found = _measure(Path(name), options)
    figures.keep(options.out, found)
    columns = ("p50_ms", "cpu_ms", "reads", "first_reads", "first_load_kb")
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
        client, reads = Client(load_functions(("console",), SOURCE)["console"]), Operations()
        requests = _requests(system, running)
        with bootstrap.bind(counted(system.ports, reads)):
            pages: dict[str, dict[str, float]] = {
                page: _read(client, reads, *each) for page, each in requests.items()
            }
        with bootstrap.bind(system.ports):
            for page, each in requests.items():
                taken, cpu = _visit(client, *each, visits=options.visits, rounds=options.rounds)
                pages[page] |= {"p50_ms": round(taken, 1), "cpu_ms": round(cpu, 1)}
    finally:
        system.close()
    bare = folder / "bare.py"
    bare.write_text(_BARE, encoding="utf-8")
    nothing = Client(load_functions(("nothing",), bare)["nothing"])
    taken, _ = _visit(nothing, "/", None, visits=options.visits, rounds=options.rounds)
    return {
        "recipes": options.recipes,
        "executions": options.executions,
        "pages": pages,
        "p50_ms": max(figures["p50_ms"] for figures in pages.values()),
        "cpu_ms": max(figures["cpu_ms"] for page, figures in pages.items() if page != _DOWNLOAD),
        "first_load_kb": max(figures["first_load_kb"] for figures in pages.values()),
        "bare_ms": round(taken, 2),
    }


_DOWNLOAD = "sends, CSV"
"""The first 64 KiB of a file, about 500 sends: no page, so it has no budget."""
_Asked = tuple[str, Mapping[str, str] | None]
"""A path, and the form to send to it; None to read it."""


def _requests(system: EmbeddedSystem, execution: str) -> Mapping[str, _Asked]:
    recipe = "/recipes/sneaker-reactivation-0001"
    pages = {
        "overview": "/",
        "overview, live": "/live",
        "overview, broken campaigns": "/broken",
        "campaigns": "/recipes",
        "campaigns, found": "/recipes?q=sneaker",
        "campaigns, by next send": "/recipes?sort=next",
        "campaigns, by last send": "/recipes?sort=last&page=3",
        "campaign": recipe,
        "campaign, new": "/recipes/new",
        "campaign, edit": f"{recipe}/edit",
        "campaign, review": "/recipes/sneaker-draft/review",
        "campaign, run": f"{recipe}/run",
        "campaign, test people": "/test-people",
        "campaign, delete": f"{recipe}/delete",
        "segments": "/segments",
        "sends": "/executions",
        "sends, of one": "/executions?recipe=sneaker-reactivation-0001",
        "sends, of several": "/executions?recipe=reactivation 99",
        "sends, by state": "/executions?state=completed",
        "sends, by kind": "/executions?kind=manual",
        "sends, by days": "/executions?from=2026-04-28&to=2026-05-04",
        "sends, by size": "/executions?sort=size",
        "sends, names": "/executions/suggest?recipe=sneaker",
        _DOWNLOAD: "/executions/export",
        "send": f"/executions/{execution}",
        "send, live": f"/executions/{execution}/live",
        "send, confirm": f"/executions/{execution}/confirm",
        "calendar": "/calendar",
        "calendar, past": "/calendar?month=2026-04",
        "calendar, next": "/calendar?month=2026-06",
        "calendar, a day": "/calendar?day=2026-05-04",
        "cadence": "/cadence",
        "audit log": "/audit",
        "audit log, filtered": "/audit?recipe=sneaker&by=ana",
        "people": "/people",
        "send once": "/send",
        "help": "/help",
    }
    form = _form(system)
    typed = {
        "typing, preview": "/recipes/compose",
        "typing, schedule": "/recipes/schedule",
        "typing, words": "/recipes/audience/words",
    }
    return {
        **{page: (path, None) for page, path in pages.items()},
        **{page: (path, {**form, "csrf": _token(system, path)}) for page, path in typed.items()},
    }


def _form(system: EmbeddedSystem) -> Mapping[str, str]:
    """Return the fields of a campaign's form."""
    client = Client(load_functions(("console",), SOURCE)["console"])
    with bootstrap.bind(system.ports):
        written = client.get("/recipes/sneaker-reactivation-0001/edit", buffered=True).text
    fields = {}
    for tag in re.findall(r"<input [^>]+>", written):
        found = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if "name" in found and (found.get("type") not in ("checkbox", "radio") or " checked" in tag):
            fields[unescape(found["name"])] = unescape(found.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)', written):
        fields[unescape(name)] = unescape(text)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', written, re.DOTALL):
        fields |= {unescape(name): unescape(each) for each in re.findall(r'value="([^"]*)" selected', options)}
    return fields


def _token(system: EmbeddedSystem, path: str) -> str:
    visitor = system.ports.callers.visitor(None)
    return form_token(Visit(system.ports, visitor, {}, Request(EnvironBuilder().get_environ())), path)


def _open(client: Client, path: str, form: Mapping[str, str] | None) -> bytes:
    if form is None:
        response = client.get(path)
        blocks = response.response
        data: Any = next(iter(blocks)) if "text/csv" in response.content_type else response.data
        response.close()
    else:
        response = client.post(path, data=form, headers={"Sec-Fetch-Site": "same-origin"})
        data = response.data
    if response.status_code not in (200, 204, 286):
        raise RuntimeError(f"{path} answered {response.status_code}: {data.decode()[:2_000]}")
    return data if isinstance(data, bytes) else data.encode()


def _read(client: Client, reads: Operations, path: str, form: Mapping[str, str] | None) -> dict[str, float]:
    """Return the documents that the first visit of a page and the next one read, and the size of its first load."""
    before = reads.reads
    written = _open(client, path, form)
    first = reads.reads
    _open(client, path, form)
    names = {*re.findall(rf"{ASSETS}[0-9a-f]+/([a-z_.]+)", written.decode())}
    load = len(gzip.compress(written)) + sum(len(asset(name).compressed) for name in names)
    return {"first_reads": first - before, "reads": reads.reads - first, "first_load_kb": round(load / 1024, 1)}


def _visit(
    client: Client, path: str, form: Mapping[str, str] | None, *, visits: int, rounds: int
) -> tuple[float, float]:
    """Return the median milliseconds of a page, and its median processor milliseconds, in the best of the rounds."""
    medians = list[tuple[float, float]]()
    for _ in range(rounds):
        taken, cpu = [], []
        for _ in range(visits):
            start, cpu_start = time.perf_counter(), time.process_time()
            _open(client, path, form)
            taken.append((time.perf_counter() - start) * 1000)
            cpu.append((time.process_time() - cpu_start) * 1000)
        medians.append((statistics.median(taken), statistics.median(cpu)))
    return min(each for each, _ in medians), min(each for _, each in medians)


def _filled(folder: Path, recipes: int, executions: int) -> EmbeddedSystem:
    """Return a system with so many recipes, stored as a save stores them, and so many ended executions."""
    fill_data(folder / "data")
    settings = replace(Settings(), state_dir=folder / "state", user_data_dir=folder / "data")
    system = bootstrap.embedded(settings, VirtualClock(_NOW - timedelta(hours=1)))
    written = read_recipe_file(RECIPES / "sneaker-reactivation.json")
    documents = [_recipe(written, number) for number in range(recipes)]
    documents.append({**documents[0], "id": "sneaker-draft", "isActive": False})
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
