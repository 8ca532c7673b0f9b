"""A running `tminus up` in one trouble after the other: `python -m tests.fuzz.chaos`, for three minutes.

Each round is one campaign. The seed, which is printed first, decides which troubles it meets, when, and for how long.
How far the campaign has got by then depends on the machine. Health has to tell the truth throughout: it names the
trouble while there is one, and nothing once it is over. At the end of a round no user got a push twice, every receipt
adds up, and every execution is final.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from local.runtime.persistent_clock import PersistentClock
from local.sample import generate
from tests.functional.running_up import Up, wait_until, write_recipe
from tests.functional.troubles import STATE, TROUBLES, answer, completed, ill, judge, mounted

_SECONDS = 180
_USERS = 10_000
_DAY = datetime(2026, 5, 4, tzinfo=UTC)
_LOOK_SECONDS = 0.05
_LOGGED_LINES = 100
_IN_NAMESPACE = "TMINUS_CHAOS_NAMESPACE"
_DELETED = "its state is deleted"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """What happens `wait` seconds after the one before: a trouble that holds, or something that passes at once.

    `killed`: in the middle of the trouble the process is killed, and it is started again when the trouble is over.
    """

    what: str
    wait: float
    hold: float
    killed: bool
    minutes: int

    def __str__(self) -> str:
        """Say what happens."""
        told = {"the clock jumps": f"the clock jumps by {self.minutes} minutes"}.get(self.what, self.what)
        return f"{told}, and a kill in it" if self.killed and self.what in TROUBLES else told


_AT_ONCE = ("a kill", "a stop", "a frozen process", "the clock jumps")


def plan(chance: random.Random) -> list[Happening]:
    """Return what happens in a round."""
    names = [*TROUBLES, *_AT_ONCE]
    made = [
        Happening(
            what=chance.choice(names),
            wait=chance.uniform(0, 3),
            hold=chance.uniform(0.2, 2),
            killed=chance.random() < 0.3,
            minutes=chance.choice([-10, -3, -1, 2, 20, 90]),
        )
        for _ in range(chance.randint(2, 5))
    ]
    end = Happening(what=_DELETED, wait=chance.uniform(0, 6), hold=0.5, killed=False, minutes=0)
    return [*made, end] if chance.random() < 0.15 else made


@dataclass
class Round:
    """One campaign on a small file system of its own."""

    folder: Path
    ups: list[Up] = field(default_factory=list)

    @property
    def up(self) -> Up:
        """The process that runs now."""
        return self.ups[-1]

    def start(self) -> None:
        """Start the process, on the state that is there."""
        self.ups.append(Up(self.folder, first=not self.ups, state=self.folder / STATE))

    def play(self, happenings: list[Happening]) -> str:
        """Let everything happen, and judge the end; return how the campaign ended."""
        self.start()
        self.well()
        for happening in happenings:
            self.look(happening.wait, None)
            if happening.what == _DELETED:
                return self.delete()
            self.happen(happening)
            self.well()
        wait_until(lambda: completed(self.folder), self.end_of_log)
        self.well()
        assert self.up.end(signal.SIGTERM) == 0, self.end_of_log()
        assert "Traceback" not in self.log(), self.end_of_log()
        numbers = judge(self.folder)
        counts = (f"{numbers['totals'][name]} {name}" for name in ("sent", "unknown", "notReached"))
        return f"{numbers['status']}: {', '.join(counts)}"

    def happen(self, happening: Happening) -> None:
        """Let one thing happen, until it is over."""
        if happening.what in TROUBLES:
            trouble, part = TROUBLES[happening.what]
            with trouble(self.folder / "disk"):
                wait_until(lambda: part in ill(self.up), self.end_of_log)
                self.look(happening.hold, part)
                if happening.killed:
                    self.up.end(signal.SIGKILL)
            if happening.killed:
                self.start()
        elif happening.what == "a frozen process":
            self.up.signal(signal.SIGSTOP)
            time.sleep(happening.hold)
            self.up.signal(signal.SIGCONT)
        else:
            self.up.end(signal.SIGTERM if happening.what == "a stop" else signal.SIGKILL)
            if happening.what == "the clock jumps":
                self.jump(timedelta(minutes=happening.minutes))
            self.start()

    def jump(self, by: timedelta) -> None:
        """Move the clock of a process that does not run."""
        kept = PersistentClock(self.folder / STATE / "clock.json")
        reached = kept.read()
        assert reached is not None
        kept.keep(reached + by)

    def delete(self) -> str:
        """Delete the state for good: the process says so, and ends when it is told to, leaving nothing."""
        shutil.rmtree(self.folder / STATE)
        wait_until(lambda: "executions" in ill(self.up), self.end_of_log)
        assert answer(self.up, "/")[0] == 503
        assert self.up.end(signal.SIGTERM) == 0, self.end_of_log()
        assert not (self.folder / STATE).exists()
        return "ended without a state"

    def look(self, seconds: float, part: str | None) -> None:
        """Watch health for a while: it names the part that is in trouble; with none it names nothing."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = ill(self.up)
            assert part in found if part else not found, f"health says {sorted(found)}, and {part} is in trouble"
            time.sleep(_LOOK_SECONDS)

    def well(self) -> None:
        """Wait until health says that everything works."""
        wait_until(lambda: ill(self.up) == set(), self.end_of_log)

    def log(self) -> str:
        """Return what the processes have logged."""
        return (self.folder / "up.log").read_text()

    def end_of_log(self) -> str:
        """Return its last lines."""
        return "\n".join(self.log().splitlines()[-_LOGGED_LINES:])

    def end(self) -> None:
        """Leave no process behind."""
        for up in self.ups:
            if up.runs:
                up.end(signal.SIGKILL)


@contextmanager
def new_round(data: Path) -> Iterator[Round]:
    """Make a round's folder, whose `disk` is a small file system."""
    with TemporaryDirectory(prefix="tminus-chaos-") as name, ExitStack() as stack:
        folder = Path(name)
        write_recipe(folder)
        (folder / "data").symlink_to(data)
        (folder / "disk").mkdir()
        stack.enter_context(mounted(folder / "disk", "-t", "tmpfs", "-o", "size=32m", "tmpfs"))
        played = Round(folder)
        stack.callback(played.end)
        yield played


def main(arguments: list[str]) -> int:
    """Play rounds until the time is up; the first broken promise raises."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.chaos", description=__doc__)
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="repeat the run of a seed")
    options = parser.parse_args(arguments)
    _may_mount(arguments)
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    click.echo(f"seed {seed}")
    until, chance, tally = time.monotonic() + options.seconds, random.Random(seed), dict[str, int]()
    try:
        with TemporaryDirectory(prefix="tminus-chaos-") as name:
            generate(Path(name) / "data", users=_USERS, seed=5, at=_DAY)
            while time.monotonic() < until:
                _play(Path(name) / "data", plan(chance), tally)
    except BaseException:
        traceback.print_exc()
        click.echo(f"BROKEN: repeat with make chaos SEED={seed}", err=True)
        return 1
    click.echo(json.dumps({"seed": seed, "rounds": tally.pop("rounds"), "happenings": tally}))
    return 0


def _play(data: Path, happenings: list[Happening], tally: dict[str, int]) -> None:
    click.echo("; ".join(map(str, happenings)))
    with new_round(data) as played:
        click.echo(f"    {played.play(happenings)}")
    for name in ("rounds", *(happening.what for happening in happenings)):
        tally[name] = tally.get(name, 0) + 1


def _may_mount(arguments: list[str]) -> None:
    """Go on as root of a name space of this process's own, where this one is not root."""
    if os.geteuid() == 0 or os.environ.get(_IN_NAMESPACE):
        return
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        sys.executable,
        "-m",
        "tests.fuzz.chaos",
        *arguments,
    ]
    os.execvpe("unshare", command, {**os.environ, _IN_NAMESPACE: "1"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
