"""The overview: what sends now, what needs attention, what is next, and the last seven days in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from functions.domain.documents import fingerprint
from functions.domain.execution.execution import Execution
from functions.domain.roles import Role
from functions.handlers.console.answering import page, part, to, unchanged
from functions.handlers.console.attention import broken_campaigns, is_critical, issues_of
from functions.handlers.console.charts import COLUMN_WIDTH, Slice, columns, slices
from functions.handlers.console.execution_sentences import Control, control_of, sentence, state_of
from functions.handlers.console.visit import Route, Visit
from functions.ports.executions import ExecutionSearch
from functions.usecases.check_health import check_health
from functions.usecases.reports.executions import ExecutionSummary, find_executions
from functions.usecases.reports.next_sends import next_by_day
from functions.usecases.reports.upcoming import Upcoming, next_sends
from functions.usecases.reports.violations import LONGEST_NOTE, open_violations, resolve_violation
from functions.usecases.reports.watch_execution import ExecutionDetail, Watched, version_now, watch_execution
from functions.usecases.reports.week import Week, last_week

_NEXT = 8
_LATEST = 8
_MOST_UNDER_WAY = 30
"""With more executions under way than this, the list of ended ones may be incomplete."""
_OPEN = 60
_SHOWN = 8
"""How many critical issues are shown, and how many warnings."""
_REFRESH_SECONDS = 10
"""Sentences depend on the clock and numbers on unfinished shards, so an answer is at most this old."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    """An execution under way, and the time zone of its recipe."""

    execution: Execution
    state: str
    report: ExecutionDetail
    zone: str
    slices: Sequence[Slice]
    sentence: str
    control: Control


@dataclass(frozen=True, kw_only=True)
class _Running:
    """The executions under way, and a version of this list."""

    running: Sequence[_Row]
    version: str


def show(visit: Visit) -> Response:
    """Show the overview. The page requests health and broken campaigns separately, because they take long."""
    groups, latest = next_by_day(visit.ports, most=_NEXT), _latest(visit)
    running = _running(visit, _under_way(visit))
    return page(
        visit,
        "overview.html",
        **vars(running),
        **_attention(visit),
        **_week(visit),
        following=_first([group.first for group in groups]),
        groups=groups,
        latest=latest,
        first_visit=not (latest or running.running or visit.ports.recipes.page(most=1)),
    )


def _attention(visit: Visit) -> dict[str, Any]:
    """Return the open issues: the critical ones, and the warnings."""
    found = open_violations(visit.ports, most=_OPEN)
    critical = [each for each in found.violations if is_critical(each)]
    warnings = [each for each in found.violations if not is_critical(each)]
    issues, more_issues = issues_of(visit.ports, critical, most=_SHOWN)
    warned, more_warnings = issues_of(visit.ports, warnings, most=_SHOWN)
    return {
        "issues": issues,
        "warnings": warned,
        "more_issues": more_issues or found.next is not None,
        "more_warnings": more_warnings,
    }


def _week(visit: Visit) -> dict[str, Any]:
    week: Week = last_week(visit.ports)
    parts = [{"sent": d.numbers.sent, "failed": d.numbers.failed, "unknown": d.numbers.unknown} for d in week.days]
    return {
        "week": week,
        "chart": list(zip(week.days, columns(parts), strict=True)),
        "column_width": COLUMN_WIDTH,
    }


def show_live(visit: Visit) -> Response:
    """Return the executions under way, or nothing if the visitor already has this version."""
    under_way = _under_way(visit)
    if visit.asked("known") == _version(visit, {each.id: version_now(visit.ports, each) for each in under_way}):
        return unchanged(visit)
    following = None if under_way else _first(next_sends(visit.ports, most=_NEXT))
    return part(visit, "overview_running.html", **vars(_running(visit, under_way)), following=following)


def show_health(visit: Visit) -> Response:
    """Check every part that Tminus depends on."""
    health = check_health(visit.ports)
    if visit.by_htmx:
        return part(visit, "health.html", health=health)
    return page(visit, "health_page.html", health=health)


def show_broken(visit: Visit) -> Response:
    """Show the campaigns that cannot be read; after an edit by hand within five minutes."""
    return part(visit, "overview_broken.html", broken=broken_campaigns(visit.ports))


def resolve(visit: Visit) -> Response:
    """Mark violations of a send as resolved, perhaps with a note."""
    execution_id = visit.field("execution")
    note, by = visit.field("note")[:LONGEST_NOTE], visit.caller.name
    for violation in visit.request.form.getlist("violation"):
        resolve_violation(visit.ports, execution_id, violation, by=by, note=note)
    back = visit.field("back")
    return to(visit, back if back == f"/executions/{execution_id}" else "/")


def _under_way(visit: Visit) -> list[Execution]:
    return [execution for execution in visit.ports.executions.unfinished() if not execution.state.final]


def _first(sends: Sequence[Upcoming]) -> Upcoming | None:
    """Return the next send that was not cancelled."""
    return next((send for send in sends if not send.is_off), None)


def _running(visit: Visit, executions: Sequence[Execution]) -> _Running:
    """Return the executions under way. This reads all of their shards."""
    found = [watch_execution(visit.ports, execution) for execution in executions]
    return _Running(
        running=[_row(visit, watched) for watched in found],
        version=_version(visit, {watched.execution.id: watched.version for watched in found}),
    )


def _version(visit: Visit, versions: Mapping[str, str]) -> str:
    return f"{fingerprint(versions)[:16]}-{int(visit.now.timestamp()) // _REFRESH_SECONDS}"


def _row(visit: Visit, watched: Watched) -> _Row:
    report, run, everyone_sent = watched.detail(), watched.run, watched.everyone_sent_to
    return _Row(
        execution=watched.execution,
        state=state_of(report, everyone_sent=everyone_sent),
        report=report,
        zone=run.recipe.schedule.zone.key if run else "UTC",
        slices=slices(report.totals),
        sentence=sentence(watched.execution, report, visit.now, everyone_sent=everyone_sent),
        control=control_of(watched.execution, report.window_ends_at, everyone_sent=everyone_sent),
    )


def _latest(visit: Visit) -> list[ExecutionSummary]:
    """Return the executions that ended last, including those that ended before T-0."""
    found = find_executions(visit.ports, ExecutionSearch(), most=_LATEST + _MOST_UNDER_WAY)
    return [each for each in found.executions if each.status.final][:_LATEST]


ROUTES = (
    Route(method="GET", path="/", serve=show),
    Route(method="GET", path="/live", serve=show_live),
    Route(method="GET", path="/health", serve=show_health),
    Route(method="GET", path="/broken", serve=show_broken),
    Route(method="POST", path="/violations", serve=resolve, least=Role.OPERATOR),
)
