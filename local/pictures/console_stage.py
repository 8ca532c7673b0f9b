"""A stage for the console: sample campaigns at any instant of their lives, served on a port of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions import bootstrap
from functions.settings import Settings
from functions.settings.read import process_settings
from functions.usecases.recipes.save import save_recipe
from local.cli.options import RECIPES
from local.embedded.clock import VirtualClock
from local.embedded.outbox import OutcomeScript
from local.embedded.system import RECONCILE_JOB, EmbeddedSystem
from local.runtime.functions import Runtime, load_functions
from local.runtime.recipe_files import read_recipe_file
from local.runtime.served import Served
from local.runtime.serving import FUNCTIONS, SOURCE, http_server
from local.sample.generate import generate

OPENED_AT = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
_USERS = 20_000
_SEED = 7


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The system that plays, its clock, and where its console is."""

    system: EmbeddedSystem
    runtime: Runtime
    clock: VirtualClock
    url: str

    def play_until(self, at: datetime) -> None:
        """Let everything happen that is due until an instant."""
        self.runtime.run_until(at)
        self.clock.advance_to(at)


def fill_data(data: Path) -> None:
    """Write the sample users' data into a folder, unless they are there."""
    if not (data / "users.csv").exists():
        generate(data, users=_USERS, seed=_SEED, at=OPENED_AT.replace(hour=0) + timedelta(days=4))


@contextmanager
def stage(folder: Path, *, script: OutcomeScript | None = None, empty: bool = False) -> Iterator[Stage]:
    """Open a stage in a folder, on a clock that only moves as it plays.

    Both sample recipes are saved, unless it is `empty`.
    """
    fill_data(folder / "data")
    clock = VirtualClock(OPENED_AT)
    system = bootstrap.embedded(_settings(folder), clock, script)
    try:
        apps = load_functions(FUNCTIONS, SOURCE)
        runtime = Runtime(system.queue, system.schedules, clock, apps, lambda: bootstrap.bind(system.ports))
        system.schedules.put(RECONCILE_JOB)
        for path in () if empty else sorted(RECIPES.glob("*.json")):
            save_recipe(system.ports, read_recipe_file(path), by="growth@kicks.example")
        with Served(http_server(apps, system.ports, "127.0.0.1", 0)) as served:
            yield Stage(system=system, runtime=runtime, clock=clock, url=f"{served.url}/console")
    finally:
        system.close()


def _settings(folder: Path) -> Settings:
    found = replace(process_settings(), user_database=None, fcm=None, image_check=False)
    return replace(found, state_dir=folder / "state", user_data_dir=folder / "data")
