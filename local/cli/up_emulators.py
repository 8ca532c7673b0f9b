"""`tminus up --emulators`: all functions on Google's clients, and the variables for other programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import click

from functions import bootstrap
from functions.domain.instants import stamp
from functions.settings import Settings
from functions.settings.read import process_console_users
from functions.usecases.recipes.save import save_recipe
from local.cli.up_recipes import begin_now
from local.embedded.clock import FastClock, RealClock, WaitableClock
from local.embedded.outbox import OutboxSender, OutcomeScript
from local.runtime.emulated import Emulated, emulated
from local.runtime.emulators import EmulatorMissing, google_emulators
from local.runtime.serving import load_handlers
from local.standins.iap import LEAVE, MADE_USERS

_AS_EXPECTED = OutcomeScript()


def up_on_emulators(
    settings: Settings,
    clock: RealClock | FastClock,
    documents: Sequence[Mapping[str, Any]],
    *,
    port: int,
    stop: Event,
    begin_by_hand: bool,
) -> None:
    """Serve until `stop` is set. Only the outbox is kept, in the state folder.

    A fast clock starts after the emulators and the functions, which takes some seconds.
    """
    outbox = settings.state_dir / "outbox.jsonl"
    outbox.parent.mkdir(parents=True, exist_ok=True)
    visitors = process_console_users() or MADE_USERS
    click.echo("tminus: starting Firestore, Cloud Storage, Cloud Tasks and Cloud Scheduler on this machine", err=True)
    try:
        with TemporaryDirectory(prefix="tminus-emulators-") as name, google_emulators(Path(name)) as google:
            own = OutboxSender(outbox, clock, _AS_EXPECTED, settings.policy.time_to_live)
            sender = bootstrap.fcm_sender(settings.fcm) if settings.fcm else own
            with emulated(Path(name), settings, clock, sender, port=port, visitors=visitors) as running:
                for document in documents:
                    save_recipe(running.ports, document, by="cli")
                load_handlers()
                if begin_by_hand and documents:
                    begin_now(running.ports, documents[-1]["id"])
                if isinstance(clock, FastClock):
                    clock.run()
                _announce(running, google, clock, outbox, fcm=settings.fcm is not None)
                stop.wait()
            click.echo("tminus: stopping the emulators", err=True)
    except EmulatorMissing as problem:
        raise click.ClickException(str(problem)) from problem


def _announce(running: Emulated, google: Mapping[str, str], clock: WaitableClock, outbox: Path, *, fcm: bool) -> None:
    click.echo(f"tminus: functions on {running.url}/, clock at {stamp(clock.now())}; Ctrl-C stops")
    click.echo(f"tminus: look at what runs, and cancel it, on {running.url}/console/")
    click.echo(f"tminus: choose who you are there, and again on {running.url}/console{LEAVE}")
    click.echo(f"tminus: messages go {'to FCM' if fcm else f'to {outbox}'}; to join in:")
    for variable, value in {**google, **running.variables}.items():
        click.echo(f"export {variable}={quote(value)}")
