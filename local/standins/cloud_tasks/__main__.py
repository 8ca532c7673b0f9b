"""The emulator as a process of its own: `python -m local.standins.cloud_tasks`."""

import json
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

import click

from functions.domain.instants import instant
from local.embedded.clock import FastClock, RealClock
from local.standins.cloud_tasks.emulator import CloudEmulator

_port = click.IntRange(0, 65_535)


def _instant(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    try:
        return None if text is None else instant(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path(".tminus/cloud"))
@click.option("--port", type=_port, default=0, help="Port of both gRPC services; 0 picks a free one.")
@click.option("--certs-port", type=_port, default=0, help="Port of the ID tokens' public key; 0 picks a free one.")
@click.option("--clock", "kind", type=click.Choice(["real", "fast"]), default="real", show_default=True)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True)
@click.option("--at", callback=_instant, help="Start of a fast clock. [default: now]")
def main(folder: Path, port: int, certs_port: int, kind: str, speed: float, at: datetime | None) -> None:  # noqa: PLR0917 - click passes options by name
    """Serve Cloud Tasks and Cloud Scheduler until SIGINT or SIGTERM.

    The first line of standard output is a JSON object: `host` for insecure gRPC channels, and `certs_url`.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    clock = RealClock() if kind == "real" else FastClock(speed, at or RealClock().now())
    with CloudEmulator(folder, clock, port=port, certs_port=certs_port) as cloud:
        sys.stdout.write(json.dumps({"host": cloud.host, "certs_url": cloud.certs_url}) + "\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
