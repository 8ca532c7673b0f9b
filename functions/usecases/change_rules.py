"""Change the cadence rules; the next shard that asks the ledger is held to them."""

from collections.abc import Sequence

from functions.domain.audit import Action, Deed
from functions.domain.cadence import CadenceRule
from functions.domain.cadence_rules import edited
from functions.ports import Ports


def change_rules(ports: Ports, written: object, *, by: str) -> Sequence[CadenceRule]:
    """Change the rules that a person names, and return all of them; BadFields changes nothing.

    `written` is a list of objects: `name`, and `hours`, `count` or `active`. The audit log keeps who changed what.
    """
    deed = Deed(by=by, at=ports.clock.now(), action=Action.SAVED)
    return ports.ledger.change_rules(lambda rules: edited(rules, written), deed)
