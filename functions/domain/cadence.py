"""Cadence: the limits on how often one user gets pushes, and the ledger that they are judged by.

The ledger holds, for each partition of users and each UTC day, a run of blocks: one block for each push of each
execution, with the keys of the users it reserved. A block is `push key (8) | instant (4) | layer (1) | count (4)`
followed by `count` sorted user keys of 8 bytes, little-endian.

Distances are measured between the planned instants of pushes, not between the moments at which a worker got
round to them: a recipe that sends every third day at 18:30 keeps a 72-hour cooldown exactly.
"""

import struct
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from functions.domain.delivery import Exclusion
from functions.domain.ids import USER_KEY_BYTES

_HEADER = struct.Struct("<8sIBI")
BYPASSING_LAYERS = frozenset({1, 4})
"""Platform-wide moments and tests: no rule holds them back, and they count against nothing."""

Days = Mapping[date, bytes]
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


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What reserving yields: the users held back, and the days to write in the same transaction."""

    held_back: HeldBack
    writes: Days


def rules_for(layer: int, rules: Iterable[CadenceRule]) -> tuple[CadenceRule, ...]:
    """Return the active rules that act on pushes of a layer."""
    return tuple(rule for rule in rules if rule.active and layer in rule.layers)


def days_to_read(push: Push, rules: Sequence[CadenceRule], now: datetime) -> list[date]:
    """Return the UTC days whose blocks can matter to a push that is reserved now, its own day among them."""
    longest = max((rule.hours for rule in rules), default=0)
    first = (push.at - timedelta(hours=longest)).astimezone(UTC).date()
    last = max(push.at, now).astimezone(UTC).date()
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def reserve(days: Days, push: Push, users: Sequence[bytes], rules: Sequence[CadenceRule]) -> Reservation:
    """Reserve a push for the users whom no rule holds back.

    Idempotent: users whom this same push has reserved before stay reserved. `days` are the packed bytes of
    `days_to_read`.
    """
    wanted = _pack(users)
    blocks = [block for day in days.values() for block in _blocks(day)]
    own = {key for block in blocks if block.push == push.key for key in block.users}
    excluded: dict[int, Exclusion] = {}
    for rule in rules:
        for key in _over(rule, blocks, push, wanted):
            if key not in own:
                excluded.setdefault(key, rule.reason)
    granted = own.union(key for key in wanted if key not in excluded)
    return Reservation(
        held_back={key.to_bytes(USER_KEY_BYTES, "little"): reason for key, reason in excluded.items()},
        writes={} if granted == own else {push.day: _replace(days.get(push.day, b""), push, granted)},
    )


def release(days: Days, push: Push, users: Collection[bytes]) -> Days:
    """Return the push's day without the given users: they were never sent to."""
    day = days.get(push.day, b"")
    gone = set(_pack(users))
    kept = {key for block in _blocks(day) if block.push == push.key for key in block.users if key not in gone}
    return {push.day: _replace(day, push, kept)}


@dataclass(frozen=True)
class _Block:
    push: bytes
    at: datetime
    layer: int
    users: "array[int]"


def _blocks(day: bytes) -> Iterator[_Block]:
    offset = 0
    while offset < len(day):
        push, seconds, layer, count = _HEADER.unpack_from(day, offset)
        offset += _HEADER.size
        end = offset + count * USER_KEY_BYTES
        users = array("Q", day[offset:end])
        yield _Block(push, datetime.fromtimestamp(seconds, UTC), layer, users)
        offset = end


def _over(rule: CadenceRule, blocks: Iterable[_Block], push: Push, wanted: "array[int]") -> Iterable[int]:
    """Return the users whose other pushes already fill the rule; near pushes count on either side of ours."""
    reach = timedelta(hours=rule.hours)
    near = [
        block
        for block in blocks
        if block.layer in rule.layers and block.push != push.key and abs(block.at - push.at) < reach
    ]
    asked = set(wanted)
    counts = Counter(key for block in near for key in asked.intersection(block.users))
    return [key for key, count in counts.items() if count >= rule.count]


def _replace(day: bytes, push: Push, users: Collection[int]) -> bytes:
    others = b"".join(
        _encode(block.push, block.at, block.layer, block.users) for block in _blocks(day) if block.push != push.key
    )
    return others + _encode(push.key, push.at, push.layer, array("Q", sorted(users)))


def _encode(push: bytes, at: datetime, layer: int, users: "array[int]") -> bytes:
    return _HEADER.pack(push, int(at.timestamp()), layer, len(users)) + users.tobytes() if users else b""


def _pack(users: Iterable[bytes]) -> "array[int]":
    return array("Q", b"".join(users))
