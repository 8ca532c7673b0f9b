"""The layers of a workspace: each push has one, and cadence rules count and hold back pushes by it."""

from collections.abc import Mapping
from dataclasses import dataclass

from functions.domain.whole_numbers import whole_number

MOST_LAYER = 9
OLD_LAYERS = range(1, 6)
"""The layers of every deployment before workspaces. Documents of those times write layer 5 as 0."""


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The names of the layers by number. No rule holds back or counts pushes of an `exempt` layer."""

    names: Mapping[int, str]
    exempt: frozenset[int]

    def read(self, written: object) -> int | None:
        """Return the layer that a text or number means; None if there is no such layer."""
        number = whole_number(written)
        number = 5 if number == 0 and type(number) is int else number
        return number if type(number) is int and number in self.names else None

    @property
    def as_before(self) -> bool:
        """Whether the layers have the numbers that all deployments had before workspaces."""
        return list(self.names) == [*OLD_LAYERS]

    @property
    def in_words(self) -> str:
        """What a layer has to be, as the end of "must be"."""
        if self.as_before:
            return "a layer from 1 to 5"
        return f"a layer of the workspace ({self.listed})"

    def refusal(self, layer: int) -> str:
        """Say that there is no such layer, and which there are."""
        return f"must be at most 5, got {layer}" if self.as_before else f"must be {self.in_words}, got {layer}"

    @property
    def listed(self) -> str:
        """The layers with their names: "1 Newsletter, 3 Workouts"."""
        return ", ".join(f"{number} {name}" for number, name in self.names.items())
