"""The paths of a recipe document's fields, as people write them: `settings.safeguards.maxAudienceSize`."""

from collections.abc import Iterator, Sequence
from functools import cache

from pydantic import BaseModel

from functions.domain.fields import Recipe

_FREE = ("audienceCriteria.customScript.parameters", "audienceCriteria.filters", "metadata")
"""Objects whose keys are nobody's business here but the job's, the query's or the team's."""
_UNREAD = (
    *("status", "isActive", "description", "metadata", "template"),
    *("settings.emergencyStopEnabled", "settings.dryRunFirst"),
)
"""Fields of a recipe that are read elsewhere, or only kept."""


@cache
def field_paths() -> tuple[str, ...]:
    """Return every path that Tminus knows, objects and fields, without those inside lists."""
    return (*_UNREAD, *_paths(Recipe, ""))


def is_field(path: Sequence[str]) -> bool:
    """Say whether a path names a known field, or a key of an object whose keys are free."""
    written = ".".join(path)
    return written in field_paths() or any(written.startswith(f"{free}.") for free in _FREE)


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{path}.")
