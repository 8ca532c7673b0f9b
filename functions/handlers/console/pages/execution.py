"""One execution: where it stands, how far it is, what its pushes say, its log, and what became of everybody."""

from typing import Any

from flask import Response

from functions.domain.errors import NotFound
from functions.domain.execution import Execution
from functions.handlers.console.answering import STOP_POLLING, download, page, part, unchanged
from functions.handlers.console.charts import slices, timeline_chart
from functions.handlers.console.told import OUTCOMES, control_of, sentence
from functions.handlers.console.visit import Route, Visit
from functions.usecases.export_audience import export_audience
from functions.usecases.receipt import export
from functions.usecases.sample_messages import Sample, sample_messages
from functions.usecases.show_executions import Watched, version_now, watch_execution
from functions.usecases.steps import load_run, read_run

AT = "/executions/<execution_id>"
_SHOWN_ANEW_SECONDS = 10
"""A line of the log may follow the change that it tells of: so what is shown is never older than this."""


def show(visit: Visit) -> Response:
    """Show an execution."""
    watched = watched_execution(visit)
    samples = _samples(visit, watched)
    return page(
        visit,
        "execution.html",
        **values_of(visit, watched),
        samples=samples,
        has_real=any(sample.real for sample in samples),
        outcome=OUTCOMES.get(visit.asked("told")),
    )


def show_live(visit: Visit) -> Response:
    """Answer what has changed on the page since it was shown; nothing where nothing has.

    `known` is the version that is shown, `control` the button, `samples` is `real` where the messages are.
    """
    execution = execution_asked(visit)
    if visit.asked("known") == _version(visit, version_now(visit.ports, execution)):
        return unchanged(visit)
    watched = watch_execution(visit.ports, execution)
    samples = _samples(visit, watched) if visit.asked("samples") != "real" else []
    has_real = any(sample.real for sample in samples)
    return part(
        visit,
        "execution_live.html",
        status=STOP_POLLING if watched.execution.cleaned else 200,
        **values_of(visit, watched),
        samples=samples if has_real else [],
        has_real=has_real or visit.asked("samples") == "real",
        new_control=visit.asked("control") != control_of(watched.execution).kind,
    )


def show_receipt(visit: Visit) -> Response:
    """Answer what became of every user, as a CSV; BadAudience where the audiences are no longer kept."""
    run = load_run(visit.ports, visit.path["execution_id"])
    return download(f"{run.execution.id}-receipt.csv", export(visit.ports, run))


def show_audience(visit: Visit) -> Response:
    """Answer the audience of a push, as a CSV."""
    execution_id, push = visit.path["execution_id"], int(visit.path["push"])
    return download(f"{execution_id}-audience-{push}.csv", export_audience(visit.ports, execution_id, push))


def watched_execution(visit: Visit) -> Watched:
    """Return all that can be shown of the execution that the address names; NotFound where there is none."""
    return watch_execution(visit.ports, execution_asked(visit))


def execution_asked(visit: Visit) -> Execution:
    """Return the execution that the address names; NotFound where there is none."""
    execution_id = visit.path["execution_id"]
    execution = visit.ports.executions.get(execution_id)
    if execution is None:
        raise NotFound(f"there is no execution {execution_id!r}")
    return execution


def values_of(visit: Visit, watched: Watched) -> dict[str, Any]:
    """Return what the page and its live part show of an execution."""
    told, run = watched.document(), read_run(watched.execution)
    return {
        "execution": watched.execution,
        "recipe": run.recipe,
        "report": told,
        "chart": timeline_chart(told, visit.now),
        "slices": {push["order"]: slices(push) for push in told["pushes"]},
        "total_slices": slices(told["totals"]),
        "sentence": sentence(watched.execution, told, visit.now),
        "control": control_of(watched.execution),
        "version": _version(visit, watched.version),
        "violations": watched.violations,
        "log": visit.ports.executions.log_of(watched.execution.id),
    }


def _samples(visit: Visit, watched: Watched) -> list[Sample]:
    return sample_messages(visit.ports, read_run(watched.execution).recipe, watched.execution.id)


def _version(visit: Visit, version: str) -> str:
    return f"{version[:16]}-{int(visit.now.timestamp()) // _SHOWN_ANEW_SECONDS}"


ROUTES = (
    Route(method="GET", path=AT, serve=show),
    Route(method="GET", path=f"{AT}/live", serve=show_live),
    Route(method="GET", path=f"{AT}/receipt.csv", serve=show_receipt),
    Route(method="GET", path=f"{AT}/audience-<int(max=999):push>.csv", serve=show_audience),
)
