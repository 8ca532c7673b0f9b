"""`tminus simulate`: forecast what a folder of recipes will send in the next days."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from functions import bootstrap
from functions.domain.errors import BadInput, BadRecipe, FieldError
from functions.domain.execution.execution import State
from functions.domain.execution.safeguards import past_errors
from functions.domain.instants import stamp
from functions.domain.recipe.read import Recipe, parse
from functions.usecases.recipes.check import check_recipe
from local.cli.options import (
    check_new,
    data_option,
    existing_folder,
    force_option,
    json_option,
    print_json,
    read_instant,
    settings_with,
)
from local.cli.progress import bar
from local.embedded.clock import RealClock
from local.forecast.forecast import Forecast, Question, changed, forecast
from local.forecast.page import page
from local.forecast.report import CalendarEntry, Comparison, ForecastReport, RecipeTotals, compare, report
from local.runtime.recipe_files import read_recipe_file
from local.runtime.single_run import check_user_data
from local.simulator.play.entry_points import hush
from local.simulator.play.faults import LEVELS

_MOST_LINES = 60
_RECIPE, _AUDIENCE, _RECIPE_ALONE = 24, 26, 28
"""The width of columns on a terminal, where longer texts are cut."""


@click.command()
@click.option("--recipes", type=existing_folder, required=True, help="A folder of recipe files.")
@data_option
@click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True, help="How many days to look ahead."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same answer.")
@click.option(
    "--faults", "level", type=click.Choice(LEVELS), default="none", show_default=True, help="The level of faults."
)
@click.option("--runs", type=click.IntRange(1, 1_000), default=1, show_default=True, help="How many seeds to play.")
@click.option("--from", "begins", help="The instant to begin at, as 2026-11-23T00:00:00Z. [default: now]")
@click.option(
    "--compare",
    "other_recipes",
    type=existing_folder,
    help="Another folder of recipes: show what changes if they replace these.",
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts here.")
@force_option("Replace the page if it exists.")
@json_option
def simulate(
    recipes: Path,
    data: Path | str | None,
    days: int,
    seed: int,
    level: str,
    runs: int,
    begins: str | None,
    other_recipes: Path | None,
    html: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Forecast the sends of the next days: how many users get them, and how many the rules exclude.

    The real functions run on a virtual clock, every day with the user data of today. Nothing is sent or stored. Exit
    status: 0, 2 bad input, 1 if a run with faults broke the delivery contract.
    """
    if html is not None:
        check_new(html, force=force)
    hush()
    question = _question(recipes, data, begins, days, level)
    others = None if other_recipes is None else changed(question, _read(other_recipes, question))
    made = _play(question, seed, runs, quiet=as_json)
    if others is not None:
        after = _play(others, seed, runs, quiet=as_json)
        made = replace(after, comparison=compare(made, after))
    if html is not None:
        html.write_text(page(made), encoding="utf-8")
    if as_json:
        print_json(made)
    else:
        _show(made, html)
    sys.exit(any(run.breaches for run in made.runs))


def _question(recipes: Path, data: Path | str | None, begins: str | None, days: int, level: str) -> Question:
    settings = settings_with(data)
    engine, find_job = bootstrap.user_data(settings)
    check_user_data(engine)
    begins_at = read_instant(begins, "--from") or RealClock().now().replace(second=0, microsecond=0)
    question = Question(
        recipes=(),
        engine=engine,
        find_job=find_job,
        workspace=bootstrap.workspace(settings),
        policy=settings.policy,
        begins_at=begins_at,
        days=days,
        level=level,
    )
    return changed(question, _read(recipes, question))


def _read(recipes: Path, question: Question) -> list[Recipe]:
    """Read a folder of recipes; BadRecipe names every invalid field with its file."""
    found, errors = [], []
    for path in sorted(recipes.glob("*.json")):
        try:
            recipe = parse(read_recipe_file(path), default_id=path.stem)
            _check(recipe, question)
        except BadRecipe as error:
            errors += [FieldError(f"{path}: {field.field}", field.reason) for field in error.errors]
            continue
        if recipe.is_active and not past_errors(recipe, question.begins_at):
            found.append(recipe)
    if errors:
        raise BadRecipe(errors)
    if not found:
        raise BadInput(f"{recipes}: no recipe in it is active and has a send left; a recipe is one JSON file")
    return found


def _check(recipe: Recipe, question: Question) -> None:
    check_recipe(recipe, policy=question.policy, find_job=question.find_job, workspace=question.workspace)


def _play(question: Question, seed: int, runs: int, *, quiet: bool) -> ForecastReport:
    with bar(f"{question.days} days, {runs} times" if runs > 1 else f"{question.days} days", quiet=quiet) as progress:
        return report([_forecast(question, seed + run, (run, runs), progress) for run in range(runs)])


def _forecast(question: Question, seed: int, run: tuple[int, int], progress: Callable[[float], None]) -> Forecast:
    done, runs = run
    return forecast(question, seed, progress=lambda share: progress((done + share) / runs))


def _show(made: ForecastReport, html: Path | None) -> None:
    _show_calendar(made.calendar)
    click.echo()
    _show_recipes(made.recipes)
    _show_rest(made)
    if made.comparison is not None:
        _show_comparison(made.comparison)
    for run in made.runs if len(made.runs) > 1 else ():
        click.echo(f"seed {run.seed}: {run.totals.sent:,} sent, {sum(run.faults.values()):,} faults")
    for run in made.runs:
        for breach in run.breaches:
            click.echo(f"BROKEN, seed {run.seed}: {breach.execution_id}: {breach.what}", err=True)
    if html is not None:
        click.echo(f"\ncharts: {html}")


def _show_recipes(recipes: Sequence[RecipeTotals]) -> None:
    width = _width(_RECIPE_ALONE, (each.id for each in recipes))
    click.echo(f"{'recipe':<{width}}{'sends':>7}{'audience':>11}{'sent':>10}{'excluded':>11}")
    for each in recipes:
        click.echo(
            f"{each.id[: width - 1]:<{width}}{each.sends:>7,}{each.audience:>11,}{each.sent:>10,}{each.excluded:>11,}"
        )
        for state, count in each.states.items():
            if state != State.COMPLETED:
                click.echo(f"    {count} of its sends end {state}")


def _show_comparison(change: Comparison) -> None:
    click.echo(f"\n{'what changes':<28}{'before':>12}{'after':>12}{'change':>12}")
    for name, sides in change.totals.items():
        click.echo(f"{name:<28}{sides.before:>12,}{sides.after:>12,}{sides.after - sides.before:>+12,}")


def _width(column: int, texts: Iterable[str]) -> int:
    """Return a column's width. In a pipe it fits the longest text."""
    return column if sys.stdout.isatty() else max([column, *(len(text) + 1 for text in texts)])


def _show_calendar(calendar: Sequence[CalendarEntry]) -> None:
    lines = [(entry, push) for entry in calendar for push in entry.pushes]
    recipe = _width(_RECIPE, (entry.recipe for entry, _ in lines))
    audience = _width(_AUDIENCE, (push.audience for _, push in lines))
    titles = f"{'push':>5} {'audience':<{audience}}{'users':>8}{'sent':>8}{'excluded':>11}"
    click.echo(f"{'send (UTC)':<18}{'recipe':<{recipe}}{titles}")
    for entry, push in lines[:_MOST_LINES]:
        at, held = f"{entry.send_at:%Y-%m-%d %H:%M}", sum(push.excluded.values())
        click.echo(
            f"{at:<18}{entry.recipe[: recipe - 1]:<{recipe}}{push.order:>5} "
            f"{push.audience[: audience - 1]:<{audience}}"
            f"{push.audience_size:>8,}{push.sent:>8,}{held:>11,}"
        )
    if len(lines) > _MOST_LINES:
        click.echo(f"... and {len(lines) - _MOST_LINES:,} pushes more; --json and --html have them all")


def _show_rest(made: ForecastReport) -> None:
    for each in made.collisions[:10]:
        click.echo(f"{each.users:,} times {each.recipe} is excluded by an earlier push of {each.held_back_by}")
    if made.users_hit_most:
        most = made.users_hit_most[0]
        click.echo(f"hit most: {most.user_id} with {most.pushes} pushes")
    busiest, cost = made.quota.busiest_minute, made.cost["microDollars"] / 1_000_000
    if busiest:
        click.echo(f"busiest minute: {stamp(busiest.at)} with {busiest.messages:,} messages; FCM takes 600,000")
    click.echo(
        f"FCM's whole quota for {made.quota.quota_minutes:g} minutes; Google Cloud's operations: about ${cost:,.2f}"
    )
