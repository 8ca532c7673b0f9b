"""Actions of people and other systems without a recipe: send a push once, record past pushes in the ledger."""

import io
from datetime import timedelta

from functions.domain.instants import stamp
from functions.ports import Ports
from functions.usecases.by_hand.send_once import OneOff, send_once, try_once
from functions.usecases.cadence.change_rules import change_rules
from functions.usecases.cadence.filter_audience import filter_audience
from functions.usecases.cadence.import_history import import_history
from functions.usecases.cadence.track import track_notification
from functions.usecases.moving_in.migrate import OldDocument, migrate

_OPERATOR = "operator@example.com"
_USERS = [f"10000000-0000-4000-8000-{number:012}" for number in range(1, 6)]


def send_a_push_once(ports: Ports, number: int) -> None:
    """Dry-run a push, then send it to the users of a file, twice with the same key."""
    texts = {"title": "Push 1 for [[var:name]]", "body": "Your [[var:goal|goal]] waits"}
    push = OneOff(written={**texts, "layerId": (1, 2, 3, 5)[number % 4]})
    try_once(ports, push, _file(), by=_OPERATOR)
    for _ in range(2):
        send_once(ports, push, _file(), by=_OPERATOR, key=f"once-{number}")


def _file() -> io.BytesIO:
    rows = [f"{user},Name {place},Goal {place}" for place, user in enumerate(_USERS)]
    return io.BytesIO("\n".join(["user_id,name,goal", *rows]).encode())


def track_a_past_push(ports: Ports) -> None:
    """Record pushes of other systems in the ledger, and migrate one that they sent before."""
    now = ports.clock.now()
    sent_at = stamp(now - timedelta(hours=30))
    tracked = {"userId": _USERS[0], "layerId": 2, "sentAt": sent_at, "id": "m1"}
    filter_audience(ports, _USERS, 3)
    track_notification(ports, tracked)
    past = io.BytesIO(f"user_id,layer,sent_at\n{_USERS[1]},2,{sent_at}\n".encode())
    import_history(ports, past, dry_run=False, by=_OPERATOR)
    change_rules(ports, [{"name": ports.workspace.cadence.rules[0].name, "active": True}], by=_OPERATOR)
    old = {"id": "old", "scheduledFor": sent_at, "title": "Old", "body": "b", "layerId": 2, "status": "sent"}
    for _ in range(2):
        list(migrate(ports, [OldDocument(name="old", content=old)], by=_OPERATOR, dry_run=False))
