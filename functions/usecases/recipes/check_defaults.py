"""Check `[defaults]` of a workspace: every push can be sent with them."""

import re
from collections.abc import Sequence

from audience_jobs.workspace import FILE, Workspace
from audience_jobs.workspace.push_defaults import KEY
from audience_jobs.workspace.toml_file import read_toml
from functions.domain.errors import BadRecipe, FieldError
from functions.domain.policy import Policy
from functions.domain.push.content import content_errors
from functions.domain.recipe.defaults import default_push
from functions.usecases.recipes.check import not_allowed


def defaults_problems(workspace: Workspace, policy: Policy) -> list[str]:
    """Return what is wrong with the defaults, each with the file, the line and the way out.

    The columns of variables are not among it: each audience has its own, and checks of recipes look at them.
    """
    if not workspace.pushes.defaults:
        return []
    file = read_toml(workspace.folder / FILE)
    return [
        str(file.problem([KEY, *re.findall(r"[^.\[\]]+", error.field)], error.reason, label=f"{KEY}.{error.field}"))
        for error in _errors(workspace, policy)
    ]


def _errors(workspace: Workspace, policy: Policy) -> Sequence[FieldError]:
    try:
        push = default_push(workspace.pushes.defaults)
    except BadRecipe as error:
        return error.errors
    return [*content_errors(push, ()), *not_allowed(push, policy, workspace)]
