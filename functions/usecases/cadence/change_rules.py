"""Change the cadence rules. They apply from the next shard that reads the ledger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from audience_jobs.workspace import Workspace
from functions.domain.audit import Action
from functions.domain.cadence.rule_changes import edited, rules_document
from functions.domain.cadence.rules import CadenceRule
from functions.domain.documents import fingerprint
from functions.domain.errors import Stale
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import declared_rules
from functions.usecases.deeds import deed_now


@dataclass(frozen=True, kw_only=True)
class Rule:
    """At most `count` pushes of these layers to one user within `hours` hours of the sending recipe's wall clock."""

    name: str
    layers: Sequence[int]
    hours: int
    count: int
    active: bool


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All cadence rules."""

    rules: Sequence[Rule]


@dataclass(frozen=True, kw_only=True)
class LayerShown:
    """A layer of the workspace. No rule holds back or counts pushes of an `exempt` one."""

    number: int
    name: str
    exempt: bool
    rules: Sequence[str]
    """The names of the rules that act on it."""


def shown_layers(workspace: Workspace) -> list[LayerShown]:
    """Return the layers of a workspace in the form that people read."""
    cadence = workspace.cadence
    return [
        LayerShown(
            number=number,
            name=name,
            exempt=number in cadence.exempt,
            rules=[rule.name for rule in cadence.rules if number in rule.layers],
        )
        for number, name in cadence.names.items()
    ]


def shown_rules(rules: Sequence[CadenceRule]) -> Rules:
    """Return rules in the form that people read and edit."""
    return Rules(rules=[_shown(rule) for rule in rules])


def _shown(rule: CadenceRule) -> Rule:
    return Rule(name=rule.name, layers=sorted(rule.layers), hours=rule.hours, count=rule.count, active=rule.active)


def change_rules(
    ports: Ports, written: object, *, by: str, versions: Collection[str] | None = None
) -> Sequence[CadenceRule]:
    """Change the named rules, and return all rules. If it raises BadFields, nothing changes.

    `written` is a list of objects: `name`, and `hours`, `count` or `active`. The audit log keeps who changed what.
    With `versions`, as returned by `version_of_rules`, Stale unless the current rules have one of them.
    """

    def change(rules: Sequence[CadenceRule]) -> Sequence[CadenceRule]:
        changed = edited(rules, written)  # an invalid request is refused first, for every version: RFC 9110, 13.2.1
        if versions is not None and "*" not in versions and version_of_rules(rules) not in versions:
            raise Stale("the cadence rules have been changed since you read them: read them again, and change those")
        return changed

    deed = deed_now(ports, by, Action.SAVED)
    return ports.ledger.change_rules(declared_rules(ports.workspace), change, deed)


def version_of_rules(rules: Sequence[CadenceRule]) -> str:
    """Return the version of the rules, which changes with every change of them."""
    return fingerprint(rules_document(rules))
