"""Cadence: the limits on how often one user gets pushes.

Distances are measured between the planned instants of pushes, not between the moments at which a worker got
round to them: a recipe that sends every third day at 18:30 keeps a 72-hour cooldown exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from functions.domain.delivery import Exclusion

BYPASSING_LAYERS = frozenset({1, 4})
"""Platform-wide moments and tests: no rule holds them back, and they count against nothing."""

Days = Mapping[date, bytes]
"""Packed days of one partition of the ledger, as `functions.domain.ledger` reads and writes them."""
HeldBack = Mapping[bytes, Exclusion]
"""User keys that a rule holds back, and which rule."""


@dataclass(frozen=True, kw_only=True)
class CadenceRule:
    """At most `count` pushes of `layers` to one user in any `hours` hours; `reason` names it in reports."""

    reason: Exclusion
    layers: frozenset[int]
    hours: int
    count: int = 1
    active: bool = True

    def document(self) -> dict[str, Any]:
        """Return the rule as it is stored."""
        return {**vars(self), "reason": self.reason.value, "layers": sorted(self.layers)}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "CadenceRule":
        """Read what `document` wrote."""
        known = {"reason": Exclusion(document["reason"]), "layers": frozenset(document["layers"])}
        return cls(**(dict(document) | known))


DEFAULT_RULES = (
    CadenceRule(reason=Exclusion.LAYER_3_COOLDOWN, layers=frozenset({3}), hours=72),
    CadenceRule(reason=Exclusion.LAYER_5_COOLDOWN, layers=frozenset({5}), hours=96),
    CadenceRule(reason=Exclusion.COMBINED_L2_L3_LIMIT, layers=frozenset({2, 3}), hours=168, count=3),
)


@dataclass(frozen=True, kw_only=True)
class Push:
    """One push of one execution as the ledger knows it: its key, its layer and its planned instant."""

    key: bytes
    layer: int
    at: datetime

    @property
    def day(self) -> date:
        """The UTC day under which the push is reserved."""
        return self.at.astimezone(UTC).date()


def rules_for(layer: int, rules: Iterable[CadenceRule]) -> tuple[CadenceRule, ...]:
    """Return the active rules that act on pushes of a layer."""
    return tuple(rule for rule in rules if rule.active and layer in rule.layers)


def days_to_read(push: Push, rules: Sequence[CadenceRule], now: datetime) -> list[date]:
    """Return the UTC days whose blocks can matter to a push that is reserved now, its own day among them."""
    longest = max((rule.hours for rule in rules), default=0)
    return days_between(push.at - timedelta(hours=longest), max(push.at, now))


def days_between(first: datetime, last: datetime) -> list[date]:
    """Return the UTC days from one instant to another, both included."""
    begin = first.astimezone(UTC).date()
    return [begin + timedelta(days=offset) for offset in range((last.astimezone(UTC).date() - begin).days + 1)]
