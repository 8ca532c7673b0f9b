"""The workspace's templates of recipes: each makes a draft that a marketer names, checks, tries and activates."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from audience_jobs.workspace.templates import DeclaredTemplate
from functions.domain.documents import Described
from functions.domain.errors import NotFound
from functions.domain.recipe.read import Document, Recipe
from functions.ports import Ports
from functions.usecases.recipes.save import create_recipe

_ONE_DAY = timedelta(days=1)


def _document(template: DeclaredTemplate, now: datetime) -> Document:
    """Return the recipe of a template as a draft that begins tomorrow."""
    schedule = {"timezone": "UTC", "startDate": f"{now + _ONE_DAY:%Y-%m-%d}", **template.recipe["schedule"]}
    pushes = [
        {"sequenceOrder": order, "timing": {"delayAfterPrevious": min(order - 1, 1)}, **push}
        for order, push in enumerate(template.recipe["pushSequence"], start=1)
    ]
    document = {
        "name": template.name,
        "description": template.description,
        "type": "single_push" if len(pushes) == 1 else "sequence",
        "status": "draft",
        "template": template.id,
        **template.recipe,
        "schedule": schedule,
        "pushSequence": pushes,
    }
    return deepcopy(document)


@dataclass(frozen=True, kw_only=True)
class TemplateShown:
    """A recipe to begin with."""

    id: str
    name: str
    description: str
    recipe: Annotated[Document, Described("RecipeDocument")]


def templates(ports: Ports) -> list[TemplateShown]:
    """Return every template of the workspace with its recipe."""
    now = ports.clock.now()
    return [
        TemplateShown(
            id=template.id,
            name=template.name,
            description=template.description,
            recipe=_document(template, now),
        )
        for template in ports.workspace.templates
    ]


def create_from_template(ports: Ports, template_id: str, changes: Mapping[str, Any], *, by: str) -> Recipe:
    """Create a recipe from a template, with the fields that `changes` names in place of the template's.

    NotFound for an unknown template; otherwise as `create_recipe`.
    """
    known = {template.id: template for template in ports.workspace.templates}
    if template_id not in known:
        there_are = f"there are {', '.join(known)}" if known else "the workspace has none"
        raise NotFound(f"there is no template {template_id!r}; {there_are}")
    document = _document(known[template_id], ports.clock.now())
    return create_recipe(ports, {**document, **changes}, by=by)
