"""The defaults of a workspace, read from its tminus.toml without the code that it judges."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Defaults = Mapping[str, Any]


def defaults_of(folder: Path) -> Defaults:
    """Return what the workspace in a folder says; the recipes of a day have none of these keys themselves."""
    written: Defaults = tomllib.loads((folder / "tminus.toml").read_text(encoding="utf-8")).get("defaults", {})
    return written


def all_carry(pushes: Sequence[Mapping[str, Any]], defaults: Defaults) -> bool:
    """Return whether each push has each default, besides what it has itself."""
    return all(_has(push, defaults) for push in pushes)


def _has(own: Any, default: Any) -> bool:
    if isinstance(default, Mapping):
        return isinstance(own, Mapping) and all(_has(own.get(key), value) for key, value in default.items())
    return bool(own == default)
