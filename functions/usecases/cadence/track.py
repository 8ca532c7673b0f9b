"""Record one push that another system sent to a user, so that the cadence rules count it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from functions.domain.audience.partition import partition_of
from functions.domain.cadence.past_push import Memory, PastPush, Skipped, Source, past_name, read_past_push
from functions.domain.cadence.rules import Days, days_between
from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError
from functions.domain.instants import stamp
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import memory_of

_LONGEST_ID = 100
_FIELDS = {"user_id": "userId", "layer": "layerId", "sent_at": "sentAt"}


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Whether the push was recorded; `reason` says why not."""

    recorded: bool
    reason: Literal["", "already_recorded", "too_old", "layer_bypasses"]


def track_notification(ports: Ports, written: Mapping[str, Any]) -> Tracked:
    """Record a push of `layerId` to `userId` at `sentAt`, an instant, or now; BadFields names every invalid field.

    The same user, layer and second is the same push. So is a push with the same `id`, at any time, while a rule looks
    back at the first one. Pushes of exempt layers, and those that no rule looks back at, are not kept.
    """
    memory = memory_of(ports)
    name = _name(written.get("id"))
    push = read_past_push(_row(written, memory), memory, names=_FIELDS)
    if isinstance(push, Skipped):
        return Tracked(recorded=False, reason=push.value)
    if _record(ports, push, name, memory):
        return Tracked(recorded=True, reason="")
    return Tracked(recorded=False, reason="already_recorded")


def _row(written: Mapping[str, Any], memory: Memory) -> dict[str, str]:
    sent_at = written.get("sentAt")
    layer = written.get("layerId")
    return {
        "user_id": str(written.get("userId") or ""),
        "layer": "" if layer is None else str(layer),
        "sent_at": str(stamp(memory.now) if sent_at is None else sent_at),
        "title": str(written.get("title") or ""),
    }


def _name(identity: object) -> str:
    if identity is None:
        return ""
    if not isinstance(identity, str) or not 0 < len(identity) <= _LONGEST_ID or not identity.isprintable():
        reason = f"must be a text of 1 to {_LONGEST_ID} characters, got {shown(identity)}"
        raise BadFields([FieldError("id", reason)])
    return f"#{identity}"


def _record(ports: Ports, past: PastPush, name: str, memory: Memory) -> bool:
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    push = past.as_push(Source.TRACKED, name)

    def change(days: Days) -> tuple[Days, bool]:
        known = ledger.reserved(days, past.user) if name else []
        if any(past_name(other.push) == (Source.TRACKED, name) for other in known):
            return {}, False
        packed, added = ledger.add_sent(days[push.day], {push: [past.user]})
        return ({push.day: packed} if added else {}), bool(added)

    days = days_between(memory.since, memory.now) if name else []
    return ports.ledger.transact(partition_of(past.user), sorted({*days, push.day}), change)
