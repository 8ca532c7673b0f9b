"""`tminus demo`: both sample campaigns with their whole half hour, in seconds."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from functions.domain.errors import BadInput
from functions.settings.read import process_settings
from local.cli.data import make_sample_data
from local.cli.options import RECIPES, folder
from local.cli.run import execute
from local.cli.story import Story
from local.runtime.recipe_files import read_recipe_file
from local.runtime.single_run import make_plan
from local.runtime.state_lock import LOCK, locked

_HOME = Path(".tminus/demo")
_MARK = ".made-by-tminus-demo"
_USERS = 20_000
_SEED = 7
_DAY = datetime(2026, 5, 4, tzinfo=UTC)
_SECOND_DAY = timedelta(days=1)


@click.command()
@click.option(
    "--folder",
    "home",
    type=folder,
    default=_HOME,
    show_default=True,
    help="The folder of the demo's data and state; nothing else may be in it.",
)
def demo(home: Path) -> None:
    """Watch two campaigns run through their timeline.

    One of them runs again a day later, to show the cadence rules. The demo deletes its state each time and keeps its
    sample data. The dates are fixed, so two runs print the same. It refuses a folder that it did not make.
    """
    _check_own(home)
    data = home / "data"
    found = process_settings().on_files(data)
    settings = replace(found, state_dir=home / "state", fcm=None, workspace=None, image_check=False)
    story = Story()
    if not data.exists():
        story.console.print(f"Making a sample marketplace of {_USERS:,} users in {data} ...")
    make_sample_data(data, users=_USERS, seed=_SEED, at=_DAY)
    _empty(settings.state_dir)
    welcome = read_recipe_file(RECIPES / "new-user-welcome.json")
    reactivation = read_recipe_file(RECIPES / "sneaker-reactivation.json")
    starts = (
        (welcome, datetime(2026, 5, 4, 14, 30, tzinfo=UTC)),
        (reactivation, datetime(2026, 5, 4, 22, 0, tzinfo=UTC)),
        (reactivation, datetime(2026, 5, 4, 22, 0, tzinfo=UTC) + _SECOND_DAY),
    )
    for document, at in starts:
        execute(settings, make_plan(document, settings, at=at), None, story)
    command = "tminus" if shutil.which("tminus") else ".venv/bin/tminus"
    story.console.print(
        "\nOn the second evening, users who got the layer 3 push the evening before are excluded for 72 hours.\n"
        f"Each audience is a CSV in {settings.state_dir}/audiences, each message a line of "
        f"{settings.state_dir}/outbox.jsonl.\n"
        f"Next: [bold]{command} up --clock fast[/] runs such a campaign while you watch; open\n"
        "[bold]http://127.0.0.1:8080/console/[/] to see it, or to cancel it. "
        f"[bold]{command} --help[/] lists the other commands."
    )


def _check_own(home: Path) -> None:
    """Mark the demo's folder; BadInput for a folder with other files, such as the state of `tminus up`."""
    mark = home / _MARK
    if home != _HOME and home.exists() and any(home.iterdir()) and not mark.exists():
        raise BadInput(f"--folder {home}: not made by tminus demo, which deletes the state in it; give a new folder")
    home.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _empty(state: Path) -> None:
    """Delete everything in a state folder except the lock; BadInput if another process uses the folder."""
    with locked(state):
        for path in state.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()
