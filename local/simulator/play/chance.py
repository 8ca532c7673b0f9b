"""The only source of randomness: each decision is drawn from the seed by its own name.

A decision does not depend on the draws before it. So a run without one fault keeps all the others where they were,
which is what lets `shrink` shorten a trace.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A fault that happened: its kind, and the place, which identifies it."""

    kind: str
    place: str


class Chance:
    """Draws decisions from a seed. With `only`, just those faults happen, which shortens the trace of a run.

    `forced` maps places to the kind of fault that always happens there. No fault is drawn while `active` is
    False. `on_fault` is called for each fault that happens.
    """

    def __init__(
        self, seed: int, only: Collection[Injected] | None = None, forced: Mapping[str, str] | None = None
    ) -> None:
        self._key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
        self._only = None if only is None else frozenset(only)
        self._forced = forced or {}
        self.active = True
        self.injected: list[Injected] = []
        self.counts: Counter[str] = Counter()
        self.on_fault: Callable[[Injected], None] = lambda _: None

    def number(self, name: str) -> float:
        """Return a number from 0 to below 1, always the same for a name."""
        digest = hashlib.blake2b(name.encode(), key=self._key, digest_size=7).digest()
        return int.from_bytes(digest, "big") / (1 << 56)

    def between(self, name: str, low: float, high: float) -> float:
        """Return a number between two others."""
        return low + self.number(name) * (high - low)

    def pick(self, name: str, choices: Sequence[T]) -> T:
        """Return one of several."""
        return choices[int(self.number(name) * len(choices))]

    def fault(self, place: str, table: Sequence[tuple[str, float]]) -> str | None:
        """Return the kind of the fault that happens at a place, or None."""
        if not self.active:
            return None
        if place in self._forced:
            kind = self._forced[place]
            return kind if self.happens(Injected(kind=kind, place=place)) else None
        if self._only is not None:
            given = (kind for kind, _ in table if Injected(kind=kind, place=place) in self._only)
            return next((kind for kind in given if self.happens(Injected(kind=kind, place=place))), None)
        drawn = self.number(place)
        for kind, rate in table:
            if drawn < rate:
                return kind if self.happens(Injected(kind=kind, place=place)) else None
            drawn -= rate
        return None

    def happens(self, fault: Injected) -> bool:
        """Record a fault that was drawn; False if this run leaves it out or faults are over."""
        if not self.active or (self._only is not None and fault not in self._only):
            return False
        self.injected.append(fault)
        self.counts[fault.kind] += 1
        self.on_fault(fault)
        return True
