"""A count of what a dry run has to say, from the user data and the receipts alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.factories import user

INVALID = "nobody"
_COUNTED_LAYERS = (2, 3)


@dataclass(frozen=True)
class TriedPush:
    """A push that is tried: who would get it, and how many would not, by reason."""

    size: int
    eligible: tuple[str, ...]
    excluded: Mapping[str, int]


@dataclass(frozen=True)
class Tried:
    """What a dry run has to say about its pushes; a user has one device."""

    pushes: tuple[TriedPush, ...]
    people: int

    @property
    def eligible_people(self) -> int:
        return len({each for push in self.pushes for each in push.eligible})

    @property
    def excluded(self) -> dict[str, int]:
        return dict(sum((Counter(push.excluded) for push in self.pushes), Counter[str]()))

    @property
    def messages(self) -> int:
        return sum(len(push.eligible) for push in self.pushes)

    @property
    def size(self) -> int:
        return sum(push.size for push in self.pushes)

    def totals(self) -> dict[str, Any]:
        """The totals under the names of the API."""
        return {
            "people": self.people,
            "eligiblePeople": self.eligible_people,
            "audienceSize": self.size,
            "eligible": self.messages,
            "messages": self.messages,
            "excluded": self.excluded,
        }


@dataclass(frozen=True)
class People:
    """The users of a laboratory at an instant.

    `opted_out` has the topics of each, empty for all pushes. `dead` are those whose token FCM has refused, and `got`
    has the layers of the pushes that each may have got so far, all within some hours.
    """

    audiences: Mapping[str, Sequence[int]]
    without_token: Sequence[int]
    opted_out: Mapping[int, Sequence[str]]
    dead: frozenset[str] = frozenset()
    got: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def tries(self, pushes: Iterable[tuple[int, Sequence[str]]], topic: str = "") -> Tried:
        """Try pushes, each with its layer and the ids in its audience. They count against each other."""
        got = {each: list(layers) for each, layers in self.got.items()}
        tried, everyone = [], set[str]()
        for layer, ids in pushes:
            everyone |= {*ids}
            reasons = [self._reason(each, ids[:place], topic) for place, each in enumerate(ids)]
            reasons = [
                reason or _held_back(layer, got.get(each, [])) for reason, each in zip(reasons, ids, strict=True)
            ]
            eligible = tuple(each for each, reason in zip(ids, reasons, strict=True) if not reason)
            for each in eligible:
                got.setdefault(each, []).append(layer)
            tried.append(TriedPush(len(ids), eligible, dict(Counter(reason for reason in reasons if reason))))
        return Tried(tuple(tried), len(everyone))

    def _reason(self, user_id: str, before: Sequence[str], topic: str) -> str:
        if user_id == INVALID:
            return "invalid_user_id"
        if user_id in before:
            return "duplicate_user_id"
        if {"", topic} & {*self._by_id(self.opted_out).get(user_id, ())}:
            return "opted_out"
        known = {user(each) for numbers in self.audiences.values() for each in numbers}
        if user_id not in known or user_id in map(user, self.without_token):
            return "no_token"
        return "dead_token" if user_id in self.dead else ""

    @staticmethod
    def _by_id(numbers: Mapping[int, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        return {user(number): topics for number, topics in numbers.items()}


def _held_back(layer: int, got: Sequence[int]) -> str:
    """Return which rule holds a push of a layer back from a user who got others within hours."""
    if layer == 3 and 3 in got:
        return "layer_3_cooldown"
    if layer in _COUNTED_LAYERS and sum(each in _COUNTED_LAYERS for each in got) >= 3:
        return "combined_l2_l3_limit"
    return ""
