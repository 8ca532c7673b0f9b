"""What a use case writes into the audit log about itself."""

from functions.domain.audit import Action, Deed
from functions.ports import Ports


def deed_now(ports: Ports, by: str, action: Action) -> Deed:
    """Return that `by` does something now."""
    return Deed(by=by, at=ports.clock.now(), action=action)
