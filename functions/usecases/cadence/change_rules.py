"""Change the cadence rules; the next shard that asks the ledger is held to them."""

from collections.abc import Collection, Sequence

from functions.domain.audit import Action, Deed
from functions.domain.cadence.rule_changes import edited, rules_document
from functions.domain.cadence.rules import CadenceRule
from functions.domain.documents import fingerprint
from functions.domain.errors import Stale
from functions.ports import Ports


def change_rules(
    ports: Ports, written: object, *, by: str, versions: Collection[str] | None = None
) -> Sequence[CadenceRule]:
    """Change the rules that a person names, and return all of them; BadFields changes nothing.

    `written` is a list of objects: `name`, and `hours`, `count` or `active`. The audit log keeps who changed what.
    With `versions`, which are names that `version_of_rules` gives, Stale where the rules in force have none of them.
    """

    def change(rules: Sequence[CadenceRule]) -> Sequence[CadenceRule]:
        changed = edited(rules, written)  # a request that is wrong in itself is so of every version: RFC 9110, 13.2.1
        if versions is not None and "*" not in versions and version_of_rules(rules) not in versions:
            raise Stale("the cadence rules have been changed since you read them: read them again, and change those")
        return changed

    deed = Deed(by=by, at=ports.clock.now(), action=Action.SAVED)
    return ports.ledger.change_rules(change, deed)


def version_of_rules(rules: Sequence[CadenceRule]) -> str:
    """Return the name of a version of the rules: another one once anything in them has changed."""
    return fingerprint(rules_document(rules))
