"""A process that serves all functions on Google's clients, as its environment says, to be killed while it works."""

import sys
import time
from datetime import timedelta

from functions import bootstrap
from functions.domain.instants import instant
from functions.settings.read import process_settings
from local.embedded.clock import FastClock
from local.runtime.functions import load_functions
from local.runtime.serving import FUNCTIONS, SOURCE, http_server


def main() -> None:
    """Serve until killed; the clock goes on from an instant, at a reading of the machine's clock that has no zero."""
    port, speed, began_at, reading = int(sys.argv[1]), float(sys.argv[2]), instant(sys.argv[3]), float(sys.argv[4])
    clock = FastClock(speed, began_at + timedelta(seconds=(time.monotonic() - reading) * speed))
    ports = bootstrap.google_cloud(process_settings(), clock)
    http_server(load_functions(FUNCTIONS, SOURCE), ports, "127.0.0.1", port).serve_forever(0.05)


if __name__ == "__main__":
    main()
