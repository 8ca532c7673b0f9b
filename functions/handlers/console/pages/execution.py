"""One execution: state, progress, messages, log and receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Response

from functions.domain.access import Subject, SubjectKind
from functions.domain.errors import BadRecipe, NotFound
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Violation
from functions.domain.recipe.read import Recipe, read
from functions.domain.roles import Role
from functions.handlers.console.answering import STOP_POLLING, download, page, part, to, unchanged
from functions.handlers.console.charts import Slice, TimelineChart, slices, timeline_chart
from functions.handlers.console.execution_sentences import (
    OUTCOMES,
    Control,
    control_of,
    sentence,
    state_of,
    tested_words,
)
from functions.handlers.console.forms.reshaping import LANGUAGES
from functions.handlers.console.phones import phones_of
from functions.handlers.console.visit import Route, Visit
from functions.ports.executions import LogEntry
from functions.usecases.dry_run.export_audience import export_audience
from functions.usecases.dry_run.sample_messages import Sample, sample_messages
from functions.usecases.recipes.launched_sends import launched_sends, next_send
from functions.usecases.recipes.save import stored_recipe
from functions.usecases.reports.receipt import export
from functions.usecases.reports.tested_people import tested_people
from functions.usecases.reports.watch_execution import ExecutionDetail, Watched, watch_execution
from functions.usecases.timeline.steps import load_execution

AT = "/executions/<execution_id>"
_REFRESH_SECONDS = 10
"""The page is never older than this: a log line may be written after the change that it describes."""


@dataclass(frozen=True, kw_only=True)
class ShownExecution:
    """The values for an execution's templates. `recipe` and `chart` are None if the recipe cannot be read."""

    execution: Execution
    state: str
    recipe: Recipe | None
    report: ExecutionDetail
    chart: TimelineChart | None
    slices: Mapping[int, Sequence[Slice]]
    sentence: str
    control: Control
    following: datetime | None
    """The campaign's next send, after this one was cancelled or stopped; None if it has none."""
    version: str
    violations: Sequence[Violation]
    log: Sequence[LogEntry]
    tested: str


def show(visit: Visit) -> Response:
    """Show an execution."""
    watched = watched_execution(visit)
    shown, samples = shown_execution(visit, watched), _samples(visit, watched)
    return page(
        visit,
        "execution_broken.html" if shown.recipe is None else "execution.html",
        **vars(shown),
        samples=samples,
        phones=phones_of(shown.recipe, samples) if shown.recipe else [],
        has_real=any(sample.real for sample in samples),
        LANGUAGES=LANGUAGES,
        outcome=OUTCOMES.get(visit.asked("outcome")),
    )


def show_live(visit: Visit) -> Response:
    """Answer the changed part of the page; nothing if it is up to date.

    `known` is the shown version, `control` the shown button, and `samples` is `real` if the shown messages are.
    """
    watched = watched_execution(visit)
    if visit.asked("known") == _version(visit, watched.version_now):
        return unchanged(visit)
    shown = shown_execution(visit, watched)
    if shown.recipe is None:
        return to(visit, f"/executions/{watched.execution.id}")
    samples = _samples(visit, watched) if visit.asked("samples") != "real" else []
    has_real = any(sample.real for sample in samples)
    return part(
        visit,
        "execution_live.html",
        status=STOP_POLLING if watched.execution.cleaned else 200,
        **vars(shown),
        samples=samples if has_real else [],
        phones=phones_of(shown.recipe, samples) if has_real else [],
        has_real=has_real or visit.asked("samples") == "real",
        LANGUAGES=LANGUAGES,
        new_control=visit.asked("control") != shown.control.kind,
    )


def show_receipt(visit: Visit) -> Response:
    """Answer the outcome of every user as CSV; BadAudience after the audiences were deleted."""
    execution = load_execution(visit.ports, visit.path["execution_id"])
    return download(f"{execution.id}-receipt.csv", export(visit.ports, execution))


def show_audience(visit: Visit) -> Response:
    """Answer the audience of a push as CSV."""
    execution_id, push = visit.path["execution_id"], int(visit.path["push"])
    return download(f"{execution_id}-audience-{push}.csv", export_audience(visit.ports, execution_id, push))


def watched_execution(visit: Visit) -> Watched:
    """Return the execution in the address with its shards and violations; NotFound if there is none."""
    return watch_execution(visit.ports, execution_asked(visit))


def execution_asked(visit: Visit) -> Execution:
    """Return the execution in the address; NotFound if there is none."""
    return load_execution(visit.ports, visit.path["execution_id"])


def shown_execution(visit: Visit, watched: Watched) -> ShownExecution:
    """Return the values for the page and its live part."""
    report, run, everyone_sent = watched.detail(), watched.run, watched.everyone_sent_to
    return ShownExecution(
        execution=watched.execution,
        state=state_of(report, everyone_sent=everyone_sent),
        recipe=run.recipe if run else None,
        report=report,
        chart=timeline_chart(report, visit.now),
        slices={push.order: slices(push) for push in report.pushes},
        sentence=sentence(watched.execution, report, visit.now, everyone_sent=everyone_sent),
        control=control_of(watched.execution, report.window_ends_at, everyone_sent=everyone_sent),
        following=_following(visit, watched.execution),
        version=_version(visit, watched.version),
        violations=watched.violations,
        log=visit.ports.logs.of(watched.execution.id),
        tested=_tested(visit, watched.execution),
    )


def _tested(visit: Visit, execution: Execution) -> str:
    """Return who got a test that has ended; an operator sees their names."""
    if execution.kind is not Kind.TEST or not execution.state.final:
        return ""
    people = tested_people(visit.ports, execution)
    return tested_words(people, named=visit.may(Role.OPERATOR)) if people else ""


def _following(visit: Visit, execution: Execution) -> datetime | None:
    """Return the campaign's next send, if a person has just ended this one and the campaign goes on."""
    if execution.state not in (State.CANCELLED, State.STOPPED) or execution.kind is Kind.TEST:
        return None
    try:
        recipe = read(stored_recipe(visit.ports, execution.recipe_id))
    except (BadRecipe, NotFound):  # its page says why; a one-off has none
        return None
    return next_send(recipe, visit.now, launched_sends(visit.ports, visit.now, recipe.id))


def _samples(visit: Visit, watched: Watched) -> list[Sample]:
    """Return the messages, with the values of a real user only for an operator."""
    if not watched.run:
        return []
    execution_id = watched.execution.id if visit.may(Role.OPERATOR) else ""
    return sample_messages(visit.ports, watched.run.recipe, execution_id)


def _export(visit: Visit) -> Subject:
    return Subject(kind=SubjectKind.EXECUTION, name=visit.path["execution_id"])


def _version(visit: Visit, version: str) -> str:
    return f"{version[:16]}-{int(visit.now.timestamp()) // _REFRESH_SECONDS}"


ROUTES = (
    Route(method="GET", path=AT, serve=show),
    Route(method="GET", path=f"{AT}/live", serve=show_live),
    Route(method="GET", path=f"{AT}/receipt.csv", serve=show_receipt, least=Role.OPERATOR, reads=_export),
    Route(
        method="GET",
        path=f"{AT}/audience-<int(max=999):push>.csv",
        serve=show_audience,
        least=Role.OPERATOR,
        reads=_export,
    ),
)
