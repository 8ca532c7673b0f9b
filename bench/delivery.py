"""The delivery benchmark: `python -m bench.delivery` prints a table and writes bench/out/delivery.json."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import figures, growth, hot_path, million, sender
from bench.figures import Figures, say
from bench.sink import NotInstalled, Sink, sink

_OUT = Path(__file__).parent / "out" / "delivery.json"
_NOT_INSTALLED = 2

_PARTS: dict[str, Callable[[Sink, bool], Figures]] = {
    "sender": lambda to, quick: sender.measure(to, quick=quick),
    "hot-path": lambda to, quick: hot_path.measure(to, quick=quick),
    "million": lambda to, quick: million.measure(to, quick=quick),
    "growth": lambda _, quick: growth.measure(quick=quick),
}


def main(arguments: list[str]) -> int:
    """Run the requested parts; return the exit status, 2 if a program is not installed."""
    options = _parser().parse_args(arguments)
    kept = figures.read(options.out)
    say(f"{os.cpu_count()} cores, Python {platform.python_version()}: the speed of a shared machine varies")
    say("from second to second (by 40% either way where we measured), so the best of several rounds counts.")
    try:
        with sink() as to:
            for part in options.only or _PARTS:
                say()
                start = time.monotonic()
                kept |= _PARTS[part](to, options.quick)
                kept.setdefault("parts", {})[part] = _how(time.monotonic() - start, quick=options.quick)
                figures.keep(options.out, kept)
    except NotInstalled as problem:
        sys.stderr.write(f"{problem}\n")
        return _NOT_INSTALLED
    say()
    say(f"written to {os.path.relpath(options.out)}")
    return 0


def _how(seconds: float, *, quick: bool) -> Figures:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"quick": quick, "at": at, "took_seconds": round(seconds)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers: a check that it runs")
    parser.add_argument("--only", action="append", choices=_PARTS, help="one part; may be given several times")
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
