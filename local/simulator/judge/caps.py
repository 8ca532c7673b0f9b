"""The layers and cadence rules of a workspace, read from its tminus.toml without the code that it judges."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Cap:
    """At most `most` pushes of `layers` to a user within `hours` hours; `reason` is its word in reports."""

    reason: str
    layers: frozenset[int]
    hours: int
    most: int

    @property
    def limit(self) -> tuple[frozenset[int], int, int]:
        """What it limits, whatever it is called."""
        return self.layers, self.hours, self.most


@dataclass(frozen=True, kw_only=True)
class Caps:
    """All caps of a workspace, and the layers that none of them counts."""

    exempt: frozenset[int]
    caps: tuple[Cap, ...]

    def kept_by(self, later: "Caps") -> "Caps":
        """Return the caps that still hold after a release, perhaps under another name."""
        limits = {cap.limit for cap in self.caps}
        return Caps(exempt=later.exempt, caps=tuple(cap for cap in later.caps if cap.limit in limits))


def caps_of(folder: Path) -> Caps:
    """Return what the workspace in a folder says."""
    written = tomllib.loads((folder / "tminus.toml").read_text(encoding="utf-8"))
    layers = written.get("layers", {})
    exempt = {int(number) for number, layer in layers.items() if isinstance(layer, dict) and layer.get("exempt")}
    caps = [
        Cap(
            reason=rule.get("reason", f"cadence:{name}"),
            layers=frozenset(rule["layers"]),
            hours=rule["hours"],
            most=rule.get("count", 1),
        )
        for name, rule in written.get("cadence", {}).items()
        if rule.get("active", True)
    ]
    return Caps(exempt=frozenset(exempt), caps=tuple(caps))
