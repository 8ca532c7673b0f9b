"""The layers of a workspace, and what the frequency caps mean for each."""

from collections.abc import Sequence

from functions.domain.cadence.rules import CadenceRule
from functions.handlers.console.words import listed
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import rules_in_force

_PERIODS = {1: "an hour", 24: "a day", 168: "a week"}


def layers_of(ports: Ports) -> list[tuple[int, str, str]]:
    """Return each layer with its name, and what it means for the frequency caps."""
    cadence, rules = ports.workspace.cadence, rules_in_force(ports)
    return [
        (number, name, "not capped" if number in cadence.exempt else _capped(number, rules) or "no cap is on")
        for number, name in cadence.names.items()
    ]


def _capped(layer: int, rules: Sequence[CadenceRule]) -> str:
    return ", ".join(_cap(layer, rule) for rule in rules if rule.active and layer in rule.layers)


def _cap(layer: int, rule: CadenceRule) -> str:
    cap = f"at most {rule.count} {_PERIODS.get(rule.hours) or f'in {rule.hours} hours'}"
    others = sorted(rule.layers - {layer})
    return f"{cap} with layer{'s' if len(others) > 1 else ''} {listed(others)}" if others else cap


def usual_layer(ports: Ports) -> str:
    """Return the layer that a new campaign begins with: the first one with a cap that is on; empty without any."""
    rules = rules_in_force(ports)
    capped = (number for number in ports.workspace.cadence.names if _capped(number, rules))
    return str(next(capped, ""))
