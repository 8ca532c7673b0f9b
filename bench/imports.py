"""What importing main.py costs: `python -m bench.imports` prints it and writes bench/out/import.json.

Each round starts a fresh process for the peer, a function on functions-framework that does nothing, and for ours, one
after the other, so that all see the same machine.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import figures
from bench.figures import say, table

_OUT = Path(__file__).parent / "out" / "import.json"
_ROOT = Path(__file__).parent.parent
_ROUNDS = 9
_BARE = """\
import functions_framework


@functions_framework.http
def nothing(request):
    return ""
"""
_LOAD = "import functions_framework; functions_framework.create_app({target!r}, {source!r}, 'http')"
_FIRST = (
    "import functions_framework, logging; logging.disable()\n"
    "app = functions_framework.create_app({target!r}, {source!r}, 'http')\n"
    "app.test_client().post('/', json={{'executionId': 'none_20260101T000000Z'}},"
    " headers={{'X-CloudTasks-TaskName': 'bench'}})"
)


def main(arguments: list[str]) -> int:
    """Measure, print and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="fresh processes of each kind")
    parser.add_argument("--out", type=Path, default=_OUT, help="the file for the figures (default: %(default)s)")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="tminus-bench-") as name:
        bare = Path(name) / "main.py"
        bare.write_text(_BARE, encoding="utf-8")
        commands = {
            "bare_framework_s": _LOAD.format(target="nothing", source=str(bare)),
            "task_function_s": _LOAD.format(target="checkpoint", source=str(_ROOT / "main.py")),
            "first_answer_s": _FIRST.format(target="checkpoint", source=str(_ROOT / "main.py")),
        }
        taken: dict[str, list[float]] = {kind: [] for kind in commands}
        for _ in range(options.rounds):
            for kind, code in commands.items():
                taken[kind].append(_seconds(code, Path(name)))
    medians = {kind: round(statistics.median(seconds), 3) for kind, seconds in taken.items()}
    added = {"added_s": round(medians["task_function_s"] - medians["bare_framework_s"], 3)}
    figures.keep(options.out, medians | added)
    table(["median of fresh processes", "seconds"], [[kind, seconds] for kind, seconds in (medians | added).items()])
    say("first_answer_s: until an execution that does not exist was refused on the embedded runtime")
    return 0


def _seconds(code: str, folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, stderr=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
