"""Finds layers whose pushes no cadence rule limits."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from audience_jobs.workspace import FILE, Workspace
from audience_jobs.workspace.toml_file import Problem, read_toml
from functions.domain.errors import BadInput
from local.runtime.recipe_files import read_recipe_file
from local.runtime.recipe_folder import recipe_paths

_SO = "nothing limits how often its people get a push; write [cadence.NAME] with layers, hours and count"


def unlimited_layers(workspace: Workspace) -> Sequence[str]:
    """Return a line for each layer of a recipe in `recipes/` that neither is exempt nor has an active rule."""
    cadence, file = workspace.cadence, read_toml(workspace.folder / FILE)
    limited = {layer for rule in cadence.rules if rule.active for layer in rule.layers}
    used = {layer for path in recipe_paths(workspace.folder / "recipes") for layer in _layers(path)}
    return [
        str(Problem(file.path, file.line(("layers", str(layer))), f"layer {layer} has no cadence rule: {_SO}"))
        for layer in sorted(used & cadence.names.keys() - cadence.exempt - limited)
    ]


def _layers(path: Path) -> Iterator[int]:
    """Yield the layers of a recipe as far as its file can be read."""
    try:
        pushes = read_recipe_file(path).get("pushSequence")
    except BadInput:
        return
    for push in pushes if isinstance(pushes, list) else ():
        if isinstance(push, dict) and type(layer := push.get("layerId")) is int:
            yield layer
