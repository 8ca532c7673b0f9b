"""Cadence: the limits on how often one user gets pushes.

Distances are measured between the planned instants of pushes, not between the moments at which workers send them.
They are measured on the wall clock of the sending recipe: a recipe that sends every third day at 18:30 keeps a
72-hour cooldown exactly, also in the week in which the clocks change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.recipe.schedule import ClockPlan, wall_clock

_UTC = ZoneInfo("UTC")
Days = Mapping[date, bytes]
"""Packed days of one partition of the ledger; see `functions.domain.cadence.ledger`."""
HeldBack = Mapping[bytes, str]
"""User keys that a rule holds back, and the reason of that rule."""


@dataclass(frozen=True, kw_only=True)
class CadenceRule:
    """At most `count` pushes of `layers` to one user within `hours` hours; `reason` names it in reports.

    Hours are counted on the wall clock of the judged push; see `Window`.
    """

    name: str
    reason: str
    layers: frozenset[int]
    hours: int
    count: int = 1
    active: bool = True

    def document(self) -> dict[str, Any]:
        """Return the rule as it is stored. Releases before workspaces call rules by their reasons."""
        fields = {**vars(self), "layers": sorted(self.layers)}
        del fields["name"]
        return fields if self.name == self.reason else {**fields, "name": self.name}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "CadenceRule":
        """Read what `document` wrote."""
        fields = {"name": document["reason"], **document, "layers": frozenset(document["layers"])}
        if not isinstance(fields["name"], str):
            raise TypeError(f"the name of a rule is text, not {fields['name']!r}")
        return cls(**fields)


def in_force(declared: Iterable[CadenceRule], saved: Iterable[CadenceRule]) -> tuple[CadenceRule, ...]:
    """Return the rules of a workspace as people have changed them since.

    The workspace says which rules there are, and on which layers they act. A saved rule of the same name has its
    hours and count, and whether it is active.
    """
    changes = {rule.name: rule for rule in saved}
    return tuple(_changed(rule, changes.get(rule.name, rule)) for rule in declared)


def _changed(rule: CadenceRule, saved: CadenceRule) -> CadenceRule:
    return replace(rule, hours=saved.hours, count=saved.count, active=saved.active)


@dataclass(frozen=True, kw_only=True)
class Push:
    """One push of one execution as the ledger keeps it: its key, its layer and its planned instant.

    `zone` is the zone of its recipe; a push without a recipe counts its hours in UTC. `plan` is its place on the wall
    clock of its sequence (`Timeline.push_plan`); None means the local time of `at`. Zone and plan are not stored:
    they only decide how far the rules look back from this push.
    """

    key: bytes
    layer: int
    at: datetime
    zone: ZoneInfo = _UTC
    plan: ClockPlan | None = None

    @property
    def day(self) -> date:
        """The UTC day of the push's reservations."""
        return self.at.astimezone(UTC).date()


class Window:
    """The time window in which other pushes count against a push under one rule.

    A rule of H hours looks back to the place of the push in the same sequence, planned H hours earlier on the wall
    clock: 168 hours before a Monday at 09:00 is the Monday before at 09:00, even if the clocks changed in between. It
    looks forward in the same way, because later pushes may already be reserved. Both ends are exclusive.
    """

    def __init__(self, rule: CadenceRule, push: Push) -> None:
        reach = timedelta(hours=rule.hours)
        plan = push.plan or ClockPlan(clock=wall_clock(push.at, push.zone))
        self._at = push.at
        self.start, self._end = plan.instant(push.zone, -reach), plan.instant(push.zone, reach)

    def holds(self, at: datetime) -> bool:
        """Return whether a push due at this instant counts."""
        return self.start < at < self._end or at == self._at


def rules_for(layer: int, rules: Iterable[CadenceRule]) -> tuple[CadenceRule, ...]:
    """Return the active rules for pushes of a layer."""
    return tuple(rule for rule in rules if rule.active and layer in rule.layers)


def days_to_read(push: Push, rules: Sequence[CadenceRule], now: datetime) -> list[date]:
    """Return the UTC days that can matter when a push is reserved, including its own day."""
    first = min((Window(rule, push).start for rule in rules), default=push.at)
    return days_between(min(first, push.at), max(push.at, now))


def days_between(first: datetime, last: datetime) -> list[date]:
    """Return the UTC days from one instant to another, inclusive."""
    begin = first.astimezone(UTC).date()
    return [begin + timedelta(days=offset) for offset in range((last.astimezone(UTC).date() - begin).days + 1)]
