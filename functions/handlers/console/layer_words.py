"""The layers of a workspace, and what the frequency caps mean for each."""

from collections.abc import Sequence

from functions.domain.cadence.rules import CadenceRule
from functions.handlers.console.words import listed, plural
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import rules_in_force


def layers_of(ports: Ports) -> list[tuple[int, str, str]]:
    """Return each layer with its name, and what it means for the frequency caps."""
    cadence, rules = ports.workspace.cadence, rules_in_force(ports)
    return [
        (number, name, "not capped" if number in cadence.exempt else _capped(number, rules) or "no cap is on")
        for number, name in cadence.names.items()
    ]


def _capped(layer: int, rules: Sequence[CadenceRule]) -> str:
    return ", ".join(
        f"at most {plural(rule.count, 'push', 'pushes')} in {rule.hours} hours"
        + (f" of layers {listed(sorted(rule.layers))}" if len(rule.layers) > 1 else "")
        for rule in rules
        if rule.active and layer in rule.layers
    )


def usual_layer(ports: Ports) -> str:
    """Return the layer that a new campaign begins with: the first one with a cap that is on; empty without any."""
    rules = rules_in_force(ports)
    capped = (number for number in ports.workspace.cadence.names if _capped(number, rules))
    return str(next(capped, ""))
