"""`tminus run`: one execution in virtual time."""

import sys
from contextlib import closing
from pathlib import Path

import click

from audience_jobs.workspace import open_workspace
from functions import logs
from functions.domain.errors import BadInput
from functions.domain.execution.execution import State
from functions.domain.execution.safeguards import ViolationType
from functions.settings import Settings
from functions.usecases.reports.execution import ExecutionReport
from local.cli.options import (
    data_option,
    folder,
    json_option,
    no_image_check_option,
    print_json,
    read_day,
    read_instant,
    settings_with,
    with_image_check,
)
from local.cli.phones import ask_before_phones
from local.cli.remote import yes_option
from local.cli.story import Story
from local.embedded.outbox import OutcomeScript
from local.runtime.outcome_file import read_outcomes
from local.runtime.recipe_files import read_recipe_file, set_value
from local.runtime.single_run import Plan, SingleRun, make_plan
from local.runtime.state_lock import locked

_EXIT = {State.COMPLETED: 0, State.FAILED: 1}
_ENDED_BEFORE = 3


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@data_option
@click.option("--state", type=folder, default=Path(".tminus/state"), show_default=True, help="Where state is kept.")
@click.option(
    "--at", help="The instant at which the scheduler fires, as 2026-11-23T18:00:00Z. [default: the next start]"
)
@click.option("--on", metavar="DATE", help="Run the send of this day in the recipe's zone, as 2026-11-23, instead.")
@click.option("--cancel-at", default="", metavar="T-1m", help="Cancel at this distance from the send time T.")
@click.option("--stop-at", default="", metavar="T+2m", help="Emergency stop at this distance from the send time T.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change a field of the recipe, such as settings.maxLatenessMinutes or 'pushSequence[0].title'; repeatable.",
)
@click.option(
    "--outcomes", type=click.Path(path_type=Path), help="JSON file that scripts the outcomes of sends (see docs)."
)
@no_image_check_option
@yes_option
@json_option
def run(
    recipe: Path,
    data: Path | str | None,
    state: Path,
    at: str | None,
    on: str | None,
    cancel_at: str,
    stop_at: str,
    assignments: tuple[str, ...],
    outcomes: Path | None,
    no_image_check: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Run one execution of RECIPE in virtual time.

    It runs from its start to its cleanup. If messages go to phones (PUSH_SENDER=fcm), the command asks first. Running
    the same send again changes nothing. Exit status: 0 completed, 3 cancelled, blocked, expired or stopped, or
    completed although a push could not reach any user, 2 bad input, 1 failure. Ctrl-C ends it with 130.
    """
    document = read_recipe_file(recipe)
    if not document.get("id"):
        document["id"] = recipe.stem
    settings = with_image_check(settings_with(data, state_dir=state), off=no_image_check)
    for assignment in assignments:
        document = set_value(document, assignment, open_workspace(settings.workspace).old_filters)
    if at is not None and on is not None:
        raise BadInput("give --at or --on, not both")
    begin, day = read_instant(at, "--at"), read_day(on, "--on")
    plan = make_plan(document, settings, at=begin, on=day, cancel=cancel_at, stop=stop_at)
    ask_before_phones(settings, yes=yes)
    script = read_outcomes(outcomes) if outcomes else None
    report = execute(settings, plan, script, Story(quiet=as_json))
    if as_json:
        print_json(report)
    sys.exit(_exit_status(report))


def _exit_status(report: ExecutionReport) -> int:
    """Return 0 if the execution completed and each push could reach a user."""
    unreachable = any(one.type is ViolationType.AUDIENCE_EXCLUDED for one in report.violations)
    ended = _EXIT.get(report.status, _ENDED_BEFORE)
    return _ENDED_BEFORE if unreachable and not ended else ended


def execute(settings: Settings, plan: Plan, script: OutcomeScript | None, story: Story) -> ExecutionReport:
    """Run a plan and print its story; return the report."""
    story.open(plan)
    with (
        locked(settings.state_dir),
        logs.written_to(settings.state_dir / "functions.log"),
        closing(SingleRun(settings, plan.at, show=story.line, script=script)) as single,
    ):
        report = single.execute(plan)
    story.close(report, settings.state_dir)
    return report
