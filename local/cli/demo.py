"""`tminus demo`: both sample campaigns, all of their half hour, in seconds."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from functions.settings import process_settings
from local.cli.data import generate_with_progress
from local.cli.options import RECIPES, folder
from local.cli.run import execute
from local.cli.story import Story
from local.documents import read_recipe_file
from local.single_run import make_plan

_USERS = 20_000
_SEED = 7
_DAY = datetime(2026, 5, 4, tzinfo=UTC)
_SECOND_DAY = timedelta(days=1)


@click.command()
@click.option(
    "--folder", "home", type=folder, default=Path(".tminus/demo"), show_default=True, help="Where it leaves all."
)
def demo(home: Path) -> None:
    """Watch two campaigns live through their timeline.

    One of them runs once more a day later, so that cadence shows. Everything is made anew each time but the sample
    data; the dates are fixed, so that two runs tell the same.
    """
    data = home / "data"
    settings = replace(process_settings().on_files(data), state_dir=home / "state", fcm=None)
    story = Story()
    if not (data / "users.csv").exists():
        story.console.print(f"Making a sneaker marketplace of {_USERS:,} users in {data} ...")
        generate_with_progress(data, users=_USERS, seed=_SEED, at=_DAY)
    shutil.rmtree(settings.state_dir, ignore_errors=True)
    welcome = read_recipe_file(RECIPES / "new-user-welcome.json")
    reactivation = read_recipe_file(RECIPES / "sneaker-reactivation.json")
    starts = (
        (welcome, datetime(2026, 5, 4, 14, 30, tzinfo=UTC)),
        (reactivation, datetime(2026, 5, 4, 22, 0, tzinfo=UTC)),
        (reactivation, datetime(2026, 5, 4, 22, 0, tzinfo=UTC) + _SECOND_DAY),
    )
    for document, at in starts:
        execute(settings, make_plan(document, settings, at=at), None, story)
    story.console.print(
        "\nOn the second evening, whoever got the layer 3 push the evening before was held back for 72 hours.\n"
        f"Every audience is a CSV below {settings.state_dir}/audiences, every message a line of "
        f"{settings.state_dir}/outbox.jsonl.\n"
        "Next: [bold].venv/bin/tminus up --clock fast[/] lets such a campaign run before your eyes; open\n"
        "[bold]http://127.0.0.1:8080/console/[/] and look at it, or cancel it. "
        "[bold].venv/bin/tminus --help[/] lists the rest."
    )
