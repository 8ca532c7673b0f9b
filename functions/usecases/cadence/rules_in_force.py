"""The layers and cadence rules that the workspace declares, and the rules as people have changed them since."""

from collections.abc import Sequence

from audience_jobs.workspace import Workspace
from functions.domain.cadence.layers import Layers
from functions.domain.cadence.past_push import Memory
from functions.domain.cadence.rules import CadenceRule, in_force
from functions.ports import Ports


def layers_of(workspace: Workspace) -> Layers:
    """Return the layers of a workspace."""
    return Layers(names=workspace.cadence.names, exempt=workspace.cadence.exempt)


def declared_rules(workspace: Workspace) -> tuple[CadenceRule, ...]:
    """Return the rules of a workspace as its files have them."""
    return tuple(CadenceRule(**vars(rule)) for rule in workspace.cadence.rules)


def rules_in_force(ports: Ports) -> Sequence[CadenceRule]:
    """Return the rules of the workspace as people have changed them. LedgerUnreadable if those cannot be read."""
    return in_force(declared_rules(ports.workspace), ports.ledger.rules())


def ignored_rules(ports: Ports) -> list[str]:
    """Return the names of saved rules that the workspace no longer has: they hold nobody back."""
    declared = {rule.name for rule in declared_rules(ports.workspace)}
    return [rule.name for rule in ports.ledger.rules() if rule.name not in declared]


def memory_of(ports: Ports) -> Memory:
    """Return which past pushes are worth keeping now."""
    rules, layers = rules_in_force(ports), layers_of(ports.workspace)
    return Memory.of(rules, ports.clock.now(), ports.policy.user_id_format, layers)
