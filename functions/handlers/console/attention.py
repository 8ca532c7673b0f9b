"""What needs a person: open violations in words, each with the next action, and campaigns that cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.domain.execution.execution import Execution, Kind
from functions.domain.execution.safeguards import Severity, Violation, ViolationType
from functions.handlers.console.words import zone_of
from functions.ports import Ports
from functions.usecases.reports.campaign_index import campaign_index, campaign_plans
from functions.usecases.reports.executions import name_of

_SEND = ("Send it now", "/recipes/{recipe}/run")
_EDIT = ("Edit the campaign", "/recipes/{recipe}/edit")
_AUDIENCE = ("Change the audience", "/recipes/{recipe}/edit#audience")
_OPEN = ("Open the send", "/executions/{execution}")
_FAILED = ("See what failed", "/executions/{execution}")
_ACTIONS: Mapping[ViolationType, tuple[str, str]] = {
    ViolationType.MISSED: _SEND,
    ViolationType.TOO_LATE: _SEND,
    ViolationType.NOT_REACHED: _FAILED,
    ViolationType.STEP_FAILED: _FAILED,
    ViolationType.FAILURE_RATE: _FAILED,
    ViolationType.MISCONFIGURED: ("Check system status", "/health"),
    ViolationType.TOO_MANY_EXECUTIONS: ("See all sends", "/executions"),
    ViolationType.AUDIENCE_TOO_LARGE: _AUDIENCE,
    ViolationType.TOTAL_AUDIENCE_TOO_LARGE: _AUDIENCE,
    ViolationType.AUDIENCE_ALERT: _AUDIENCE,
    ViolationType.AUDIENCE_EMPTY: _AUDIENCE,
    ViolationType.AUDIENCE_EXCLUDED: _AUDIENCE,
    ViolationType.AUDIENCE_FAILED: _AUDIENCE,
    ViolationType.TEST_FAILED: ("Change the test users", "/recipes/{recipe}/edit"),
    ViolationType.SHORT_WINDOW: ("Change the send time", "/recipes/{recipe}/edit"),
    ViolationType.IMAGE_BROKEN: _EDIT,
    ViolationType.UNWELCOME_CONTENT: _EDIT,
    ViolationType.UNWELCOME_FIELD: _EDIT,
    ViolationType.MISSING_TRANSLATION: _EDIT,
}
"""What a person does next about each type of violation; for the others, open the send."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """The violations of a send, newest first, its state in `words.STATES`, and the next action about the newest.

    `send_at` is None if the send is gone.
    """

    violations: Sequence[Violation]
    state: str
    name: str
    send_at: datetime | None
    zone: str
    action: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A campaign that cannot be read, and why."""

    id: str
    name: str
    problem: str


def issues_of(ports: Ports, violations: Sequence[Violation], *, most: int) -> tuple[list[Issue], bool]:
    """Return the first issues of violations, one for each send, at most `most`, and whether there are more."""
    by_send: dict[str, list[Violation]] = {}
    for violation in violations:
        by_send.setdefault(violation.execution_id, []).append(violation)
    found = list(by_send.values())
    return [_issue(ports, each) for each in found[:most]], len(found) > most


def is_critical(violation: Violation) -> bool:
    """Return whether something did not happen that should have, or may go wrong at once."""
    return violation.finding.ends or violation.finding.severity is Severity.CRITICAL


def broken_campaigns(ports: Ports) -> list[Broken]:
    """Return the campaigns that cannot be read. A campaign with a plan could be read when it was planned."""
    planned = {plan.recipe_id for plan in campaign_plans(ports)}
    return [
        Broken(id=each.id, name=each.name, problem=each.problem)
        for each in campaign_index(ports)
        if each.id not in planned and each.problem
    ]


def _issue(ports: Ports, violations: Sequence[Violation]) -> Issue:
    violation = next((each for each in violations if each.finding.ends), violations[0])
    finding, execution = violation.finding, ports.executions.get(violation.execution_id)
    action, path = _action(ports, violation, execution)
    missed = finding.type is ViolationType.MISSED
    return Issue(
        violations=violations,
        state="expired" if missed else finding.action if finding.ends else finding.severity.value,
        name=name_of(execution) if execution else violation.recipe_id,
        send_at=execution.send_at if execution else None,
        zone=zone_of(execution.recipe) if execution else "UTC",
        action=action,
        path=path.format(recipe=violation.recipe_id, execution=violation.execution_id),
    )


def _action(ports: Ports, violation: Violation, execution: Execution | None) -> tuple[str, str]:
    """Return the next action and its address. Actions on a campaign need one that is still there."""
    one_off = execution is not None and execution.kind is Kind.ONE_OFF
    wanted = _ACTIONS.get(violation.finding.type, _OPEN)
    if "{recipe}" in wanted[1] and (one_off or ports.recipes.get(violation.recipe_id) is None):
        return _OPEN
    return wanted
