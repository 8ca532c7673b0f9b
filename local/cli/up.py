"""`tminus up`: all functions on one port, with the clock running."""

import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import click

from functions import bootstrap, logs
from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import Document, read
from functions.domain.recipe.schedule import starts_from
from functions.settings import Settings
from functions.usecases.recipes.save import save_recipe
from local.cli.data import make_sample_data
from local.cli.options import (
    data_option,
    existing_folder,
    folder,
    no_image_check_option,
    read_instant,
    settings_with,
    with_image_check,
)
from local.cli.phones import ask_before_phones
from local.cli.remote import yes_option
from local.cli.up_alerts import with_alerts
from local.cli.up_recipes import begin_now, first_recipes, is_new, read_recipes
from local.cli.up_serving import serve, stop_on_signals
from local.cli.up_token import token_for
from local.cli.workspace import say_built_in
from local.embedded.clock import FastClock, RealClock
from local.embedded.system import RECONCILE_JOB
from local.runtime.persistent_clock import CLOCK, PersistentClock
from local.runtime.state_lock import locked

_SAMPLE_USERS = 10_000
_BEFORE_THE_START = timedelta(seconds=20)
_REAL_LEASE = timedelta(seconds=3)
"""How long a worker may be silent under a fast clock, in real time: longer than a busy laptop takes for a chunk."""


@click.command()
@data_option
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@click.option(
    "--recipes", "recipe_dir", type=existing_folder, help="Recipe files to save at the start. [default: the samples]"
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
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Others than this machine need TMINUS_TOKEN then."
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="0 takes a free one.")
@no_image_check_option
@yes_option
@click.pass_context
def up(
    context: click.Context,
    data: Path | str | None,
    state: Path,
    recipe_dir: Path | None,
    kind: str,
    speed: float,
    at: str | None,
    emulators: bool,
    webhook: str | None,
    host: str,
    port: int,
    no_image_check: bool,
    yes: bool,
) -> None:
    """Serve all functions with the clock running.

    Tasks are delivered and schedules fire as they come due, until Ctrl-C. GET / shows what runs. State survives a
    kill at any instant: after a restart, executions continue. A full disk, a locked database or a missing folder
    halts the work until that is fixed. Standard error gets the functions' logs, one JSON object a line. With
    --emulators, state lasts until the end, and the variables to export are printed, with which other programs find
    what runs.

    The console is at /console. A new state folder whose messages go to the outbox gets sample data, where user data
    are files and their folder (--data, or else .tminus/data) is missing, and the sample campaigns, where there are
    no --recipes. One begins at once, so that there is
    one to look at, and to cancel: on a fast clock by its schedule, on a real one by hand. A fast clock starts when
    everything is ready.

    Where messages go to phones (PUSH_SENDER=fcm) it says so, and asks first. With a --host that others can reach it
    needs TMINUS_TOKEN, a secret of 16 characters or more: the console asks for it as a password, the API as a bearer
    token.
    """
    token = token_for(host, context.find_root().params["token"], emulators=emulators)
    settings = with_image_check(settings_with(data, state_dir=state), off=no_image_check)
    ask_before_phones(settings, yes=yes)
    say_built_in(context)
    samples = _sample_folder(settings, named=data is not None)
    settings = with_alerts(settings, webhook, host, port)
    settings = settings if kind == "real" else with_long_leases(settings, speed)
    own = None if recipe_dir is None else read_recipes(recipe_dir)
    kept = PersistentClock(state / CLOCK)
    begin = read_instant(at, "--at") or kept.read()
    clock = RealClock() if kind == "real" else FastClock(speed, begin or RealClock().now(), running=False)
    if emulators:
        from local.cli.up_emulators import up_on_emulators  # noqa: PLC0415 - it loads Google's clients

        to_save = first_recipes(own, settings)
        _place(clock, begin, to_save)
        _fill(samples, settings, clock, new=True)
        logs.configure(sys.stderr)
        begin_by_hand = kind == "real" and own is None
        up_on_emulators(settings, clock, to_save, port=port, stop=stop_on_signals(), begin_by_hand=begin_by_hand)
        return
    with locked(state), closing(bootstrap.embedded(settings, clock)) as system:
        new = is_new(system.ports)
        to_save = first_recipes(own, settings) if new else own or ()
        for document in to_save:
            save_recipe(system.ports, document, by="cli")
        _place(clock, begin, list(system.ports.recipes.all()))
        if kind == "fast":
            kept.keep(clock.now())  # before anything happens: a clock that starts elsewhere would expire it all
        else:
            kept.forget()
        _fill(samples, settings, clock, new=new)
        logs.configure(sys.stderr)
        if kind == "real" and own is None and to_save:
            begin_now(system.ports, to_save[-1]["id"])
        system.schedules.put(RECONCILE_JOB)
        system.queue.recover()
        system.schedules.recover()
        serve(system, clock, (host, port), kept if kind == "fast" else None, token=token)


def with_long_leases(settings: Settings, speed: float) -> Settings:
    """Return the settings for a clock at a speed: work takes as long as ever, so a worker needs its lease longer."""
    lease = max(settings.policy.lease, _REAL_LEASE * speed)
    return replace(settings, policy=replace(settings.policy, lease=lease))


def _place(clock: RealClock | FastClock, begin: datetime | None, documents: Sequence[Document]) -> None:
    """Move a fast clock without a saved instant to shortly before the next start of a recipe."""
    if isinstance(clock, FastClock) and begin is None:
        now = clock.now()
        clock.stand_at(max(now, _next_start(documents, now) - _BEFORE_THE_START))


def _next_start(documents: Sequence[Document], now: datetime) -> datetime:
    """Return the next start of an active recipe, else `now`."""
    starts = []
    for document in documents:
        with suppress(BadRecipe):  # broken by hand: it starts nothing
            recipe = read(document)
            starts += [next(starts_from(recipe.schedule, now), None)] if recipe.is_active else []
    return min((start for start in starts if start is not None), default=now)


def _sample_folder(settings: Settings, *, named: bool) -> Path | None:
    """Return the folder for sample data: --data, or the default one; None if data or workspace are elsewhere."""
    place = settings.user_data_dir
    if settings.workspace or settings.user_database or settings.user_dataset or isinstance(place, str):
        return None
    return place if named or place == Settings.user_data_dir else None


def _fill(data: Path | None, settings: Settings, clock: RealClock | FastClock, *, new: bool) -> None:
    """Make sample data for a new state that sends to the outbox; otherwise say that the folder is missing."""
    if data is not None and not data.exists() and new and settings.fcm is None:
        midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        make_sample_data(data, users=_SAMPLE_USERS, seed=1, at=midnight)
        click.echo(f"tminus: made sample data of {_SAMPLE_USERS:,} users in {data}", err=True)
    place = settings.user_data_dir
    in_files = not (settings.user_database or settings.user_dataset)
    if in_files and isinstance(place, Path) and not place.exists():
        hint = "put the user data there"
        if settings.workspace is None:
            hint += f", or make some: tminus data generate {place}"
        click.echo(f"tminus: {place} does not exist, so no audience can be built; {hint}", err=True)
