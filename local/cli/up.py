"""`tminus up`: all functions on one port, with the clock running."""

import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import click

from functions import bootstrap, logs
from functions.domain.errors import NotPossible
from functions.domain.execution import Kind
from functions.domain.instants import stamp
from functions.domain.recipe import Document, parse
from functions.domain.schedule import starts_from
from functions.settings import process_settings
from functions.usecases.recipes import save_recipe
from functions.usecases.start_by_hand import start_by_hand
from local.cli.data import generate_with_progress
from local.cli.options import RECIPES, folder, read_instant
from local.cli.up_alerts import with_alerts
from local.cli.up_emulators import up_on_emulators
from local.documents import read_recipe_file
from local.embedded.clock import FastClock, RealClock
from local.embedded.system import RECONCILE_JOB, EmbeddedSystem
from local.kept_clock import KeptClock
from local.runtime import Runtime, load_functions
from local.serving import FUNCTIONS, SOURCE, http_server
from local.state_lock import locked

_SAMPLE_USERS = 10_000
_KEEP_SECONDS = 0.1
_BEFORE_THE_START = timedelta(seconds=20)


@click.command()
@click.option("--data", type=folder, default=Path(".tminus/data"), show_default=True, help="The user database.")
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@click.option(
    "--recipes", "recipe_dir", type=folder, help="Recipe files to save at the start. [default: the samples]"
)
@click.option("--clock", "kind", type=click.Choice(["real", "fast"]), default="real", show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Simulated seconds a second, with --clock fast.",
)
@click.option("--at", help="Where a fast clock begins. [default: where it stopped, or else at the next start]")
@click.option(
    "--emulators",
    is_flag=True,
    help="Run on Google's clients: emulators of Firestore, Cloud Storage, Cloud Tasks and Cloud Scheduler.",
)
@click.option("--alerts", "webhook", help="Post alerts to this address too, such as a Slack webhook.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="0 takes a free one.")
def up(
    data: Path,
    state: Path,
    recipe_dir: Path | None,
    kind: str,
    speed: float,
    at: str | None,
    emulators: bool,
    webhook: str | None,
    host: str,
    port: int,
) -> None:
    """Serve all functions with the clock running.

    Tasks are delivered and schedules fire as they come due, until Ctrl-C. GET / shows what runs. A data folder that
    is not there is filled with sample data. State survives a kill at any instant: started again, executions go on
    where they were. Standard error gets the functions' logs, one JSON object a line. With --emulators, state lasts
    until the end, and the variables to export are printed, with which other programs find what runs.

    The console is at /console. In a new state folder a sample campaign begins at once, so that there is one to look
    at, and to cancel: on a fast clock by its schedule, on a real one by hand, where messages go to the outbox.
    """
    settings = replace(process_settings(), state_dir=state, user_data_dir=data)
    settings = with_alerts(settings, webhook, host, port)
    kept = KeptClock(state / "clock.json")
    documents = [read_recipe_file(path) for path in sorted((recipe_dir or RECIPES).glob("*.json"))]
    start = read_instant(at, "--at") or kept.read() or _just_before_a_start(documents)
    clock = _clock(kind, speed, start)
    if not data.exists():
        generate_with_progress(data, users=_SAMPLE_USERS, seed=1, at=_midnight(clock.now()))
    logs.configure(sys.stderr)
    if emulators:
        stop = _stop_on_signals()
        up_on_emulators(settings, lambda: _clock(kind, speed, start), documents, port=port, stop=stop)
        return
    with locked(state), closing(bootstrap.embedded(settings, clock)) as system:
        if kind == "fast":
            kept.keep(clock.now())  # before anything happens: a clock that starts elsewhere would expire it all
        new = [document for document in documents if system.ports.recipes.get(document["id"]) is None]
        for document in documents if recipe_dir is not None else new:
            save_recipe(system.ports, document, by="cli")
        if kind == "real" and recipe_dir is None and new and settings.fcm is None:
            _begin_by_hand(system, new[-1]["id"])
        system.schedules.put(RECONCILE_JOB)
        system.queue.recover()
        system.schedules.recover()
        _serve(system, clock, (host, port), kept if kind == "fast" else None)


def _clock(kind: str, speed: float, start: datetime | None) -> RealClock | FastClock:
    return RealClock() if kind == "real" else FastClock(speed, start or RealClock().now())


def _just_before_a_start(documents: Sequence[Document]) -> datetime | None:
    """Return the instant shortly before the next start of one of the recipes; None: none starts."""
    now = RealClock().now()
    recipes = [parse(document) for document in documents]
    starts = [next(starts_from(recipe.schedule, now), None) for recipe in recipes if recipe.is_active]
    return min((start - _BEFORE_THE_START for start in starts if start is not None), default=None)


def _begin_by_hand(system: EmbeddedSystem, recipe_id: str) -> None:
    """Start a campaign now, unless it starts by its schedule before that could be sent."""
    try:
        start_by_hand(system.ports, recipe_id, Kind.MANUAL, system.ports.clock.now().replace(microsecond=0))
    except NotPossible:
        return


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _serve(
    system: EmbeddedSystem, clock: RealClock | FastClock, address: tuple[str, int], kept: KeptClock | None
) -> None:
    apps = load_functions(FUNCTIONS, SOURCE)
    bootstrap.collect_rarely()
    runtime = Runtime(system.queue, system.schedules, clock, apps, around=lambda: bootstrap.bind(system.ports))
    server = http_server(apps, system.ports, *address)
    stop = _stop_on_signals()
    threads = [threading.Thread(target=runtime.serve, args=(stop,)), threading.Thread(target=server.serve_forever)]
    for thread in threads:
        thread.start()
    url = f"http://{server.host}:{server.port}"
    click.echo(f"tminus: functions on {url}/, clock at {stamp(clock.now())}; Ctrl-C stops")
    click.echo(f"tminus: look at what runs, and cancel it, on {url}/console/")
    while not stop.wait(_KEEP_SECONDS):
        if kept is not None:
            kept.keep(clock.now())
    server.shutdown()
    for thread in threads:
        thread.join()
    server.server_close()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
