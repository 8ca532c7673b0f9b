"""The frequency caps."""

from typing import Any

from flask import Response

from functions.domain.cadence.rule_changes import MOST_COUNT, MOST_HOURS
from functions.domain.cadence.rules import CadenceRule
from functions.domain.errors import BadFields
from functions.domain.roles import Role
from functions.handlers.console.answering import page, to
from functions.handlers.console.visit import Route, Visit
from functions.usecases.cadence.change_rules import change_rules, shown_rules
from functions.usecases.cadence.rules_in_force import ignored_rules, rules_in_force


def show(visit: Visit) -> Response:
    """Show the rules."""
    return _page(
        visit,
        outcome="Saved. Takes effect immediately, including sends in progress." if visit.asked("outcome") else "",
    )


def change(visit: Visit) -> Response:
    """Change the rules, or show them again with errors."""
    rules = rules_in_force(visit.ports)
    try:
        change_rules(visit.ports, [_written(visit, rule) for rule in rules], by=visit.caller.name)
    except BadFields as error:
        errors = {_named(each.field, rules): each.reason for each in error.errors}
        return _page(visit, status=422, errors=errors)
    return to(visit, "/cadence", outcome="changed")


def _page(visit: Visit, *, status: int = 200, **values: Any) -> Response:
    rules = shown_rules(rules_in_force(visit.ports)).rules
    known = {"exempt": sorted(visit.ports.workspace.cadence.exempt), "ignored": ignored_rules(visit.ports)}
    shown = {"errors": {}, "outcome": "", **values}
    limits = {"most_hours": MOST_HOURS, "most_count": MOST_COUNT}
    typed = visit.request.form if shown["errors"] else {}
    return page(visit, "cadence.html", status=status, rules=rules, typed=typed, **known, **limits, **shown)


def _written(visit: Visit, rule: CadenceRule) -> dict[str, Any]:
    name = rule.name
    numbers = {key: _number(visit.field(f"{name}.{key}")) for key in ("hours", "count")}
    return {"name": name, **numbers, "active": visit.field(f"{name}.active") == "yes"}


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _named(path: str, rules: Any) -> str:
    """Return the name of the form's field for an error's path: rules[0].hours is in the first rule."""
    number, _, key = path.removeprefix("rules[").partition("].")
    return f"{rules[int(number)].name}.{key}" if number.isdecimal() else path


ROUTES = (
    Route(method="GET", path="/cadence", serve=show),
    Route(method="POST", path="/cadence", serve=change, least=Role.ADMIN),
)
