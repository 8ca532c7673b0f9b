"""Run `tminus up`: a thread that serves HTTP and one that delivers, until a signal comes."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from functions import bootstrap
from functions.domain.instants import stamp
from local.cli.interrupt import STATUS, let_go
from local.embedded.clock import FastClock, RealClock
from local.embedded.system import EmbeddedSystem
from local.runtime.functions import Runtime, load_functions
from local.runtime.persistent_clock import PersistentClock
from local.runtime.serving import FUNCTIONS, SOURCE, http_server, load_handlers

_KEEP_SECONDS = 0.1
_END_SECONDS = 6.0
"""How long a thread may take to end: running calls get four seconds."""
_STOPPING = (
    b"tminus: stopping; calls under way get some seconds. Ctrl-C again ends at once: "
    b"what is being sent may then count as unknown\n"
)


def serve(
    system: EmbeddedSystem,
    clock: RealClock | FastClock,
    address: tuple[str, int],
    kept: PersistentClock | None,
    *,
    token: str = "",
) -> None:
    """Serve until SIGINT or SIGTERM. The clock starts once the server listens.

    Exit status 1 if a thread ends by itself, because nothing would be delivered or served without it.
    """
    apps = load_functions(FUNCTIONS, SOURCE)
    load_handlers()
    bootstrap.collect_rarely()
    runtime = Runtime(system.queue, system.schedules, clock, apps, around=lambda: bootstrap.bind(system.ports))
    server = http_server(apps, system.ports, *address, token=token)
    stop = stop_on_signals()
    if isinstance(clock, FastClock):
        clock.run()
    system.heartbeat.beat()
    threads = [
        _started("dispatcher", lambda: runtime.serve(stop, worked=system.heartbeat.beat)),
        _started("server", server.serve_forever),
    ]
    url = f"http://{server.host}:{server.port}"
    click.echo(f"tminus: functions on {url}/, clock at {stamp(clock.now())}; Ctrl-C stops")
    click.echo(f"tminus: look at what runs, and cancel it, on {url}/console/")
    if token:
        click.echo("tminus: the console asks for TMINUS_TOKEN as a password, the API for Authorization: Bearer")
    ended: list[str] = []
    while not (ended or stop.wait(_KEEP_SECONDS)):
        if kept is not None:
            with suppress(OSError):  # the dispatcher reports problems of the disk; an older instant does no harm
                kept.keep(clock.now())
        ended = [thread.name for thread in threads if not thread.is_alive()]
    stop.set()
    server.shutdown()
    _end(threads, system)
    server.server_close()
    if ended:
        raise click.ClickException(
            f"the {' and the '.join(ended)} ended; the lines above say why. Start tminus again"
        )


def _end(threads: Sequence[threading.Thread], system: EmbeddedSystem) -> None:
    """Wait for threads to end.

    A query of user data, which may take minutes, is stopped and starts again next time.
    """
    from audience_jobs.engines.duckdb import DuckDBEngine  # noqa: PLC0415 - it loads slowly

    engine = system.ports.engine
    for _ in range(int(_END_SECONDS / _KEEP_SECONDS)):
        if isinstance(engine, DuckDBEngine):
            engine.stop()  # repeatedly: a query may begin meanwhile
        for thread in threads:
            thread.join(_KEEP_SECONDS / len(threads))
        if not any(thread.is_alive() for thread in threads):
            break


def stop_on_signals() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set; a second SIGINT ends the process at once."""
    stop = threading.Event()

    def heard(number: int, _: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            os._exit(STATUS)
        if not stop.is_set():
            stop.set()
            os.write(2, _STOPPING)  # the interrupted thread may hold the lock of sys.stderr

    let_go()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, heard)
    return stop


def _started(name: str, target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)  # a hanging call does not keep the process alive
    thread.start()
    return thread
