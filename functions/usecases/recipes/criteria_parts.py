"""What a form of criteria asks of a workspace: columns, events and operators, filters and data packs, and words."""

from typing import Any

from audience_jobs.conditions.explaining import Explained
from audience_jobs.conditions.operators import OPERATORS
from audience_jobs.conditions.reading import read_condition
from audience_jobs.conditions.sentences import sentence
from audience_jobs.conditions.traits import traits_of
from audience_jobs.conditions.tree import EVERYBODY, Columns, Traits
from audience_jobs.contract import DataPack
from audience_jobs.errors import BadCriteria
from audience_jobs.workspace import Workspace
from audience_jobs.workspace.filters import USER_IDS, VALUE, Filter

__all__ = [
    "OPERATORS",
    "USER_IDS",
    "VALUE",
    "Columns",
    "DataPack",
    "Explained",
    "Filter",
    "Traits",
    "Workspace",
    "condition_in_words",
    "traits_of",
]


def condition_in_words(where: Any, workspace: Workspace) -> str:
    """Return a condition as a sentence; empty if it is incomplete."""
    try:
        condition = read_condition(where, traits_of(workspace.models))
    except BadCriteria:
        return ""
    if condition == EVERYBODY:
        return "Everyone."
    words = sentence(condition)
    return f"{words[:1].upper()}{words[1:]}."
