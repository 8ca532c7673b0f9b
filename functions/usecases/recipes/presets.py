"""Templates of recipes: each makes a draft that a marketer names, checks, tries and activates."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from functions.domain.documents import Described
from functions.domain.errors import NotFound
from functions.domain.recipe.read import Document, Recipe
from functions.ports import Ports
from functions.usecases.recipes.save import create_recipe

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template of a recipe. `schedule`, `pushes` and `criteria` are those of its document."""

    id: str
    name: str
    description: str
    schedule: Mapping[str, Any]
    pushes: tuple[Mapping[str, Any], ...]
    criteria: Mapping[str, Any]

    def document(self, now: datetime) -> Document:
        """Return the recipe as a draft that begins tomorrow."""
        schedule = {"timezone": "UTC", "startDate": f"{now + _ONE_DAY:%Y-%m-%d}", **self.schedule}
        pushes = [
            {"sequenceOrder": order, "timing": {"delayAfterPrevious": min(order - 1, 1)}, **push}
            for order, push in enumerate(self.pushes, start=1)
        ]
        document = {
            "name": self.name,
            "description": self.description,
            "type": "single_push" if len(pushes) == 1 else "sequence",
            "status": "draft",
            "template": self.id,
            "schedule": schedule,
            "pushSequence": pushes,
            "audienceCriteria": dict(self.criteria),
        }
        return deepcopy(document)


def _push(title: str, body: str, layer: int, **more: str) -> Mapping[str, Any]:
    return {"title": title, "body": body, "layerId": layer, **more}


TEMPLATES = (
    Template(
        id="onboarding_funnel",
        name="Onboarding funnel",
        description="Each new user gets the next step: first shoes, a profile, an offer, a wishlist, or a thank you.",
        schedule={"frequency": "daily", "executionTime": "17:00"},
        pushes=(
            _push(
                "Welcome, [[var:firstName]]!",
                "Add your first pair, and see who is looking for it.",
                5,
                audienceName="no-shoes",
            ),
            _push("Who are you, [[var:username]]?", "Two lines about you are enough.", 5, audienceName="no-bio"),
            _push(
                "Make your first offer",
                "[[var:firstName]], start with the [[var:top_target_shoe|shoe on your mind]].",
                5,
                audienceName="no-offers",
            ),
            _push(
                "What should we look out for?",
                "Put the [[var:top_target_shoe|next pair]] on your wishlist and hear first.",
                5,
                audienceName="no-wishlist",
            ),
            _push(
                "You are a star, [[var:firstName]]",
                "Your [[var:top_target_shoe|next shoe]] could be one trade away.",
                5,
                audienceName="new-stars",
            ),
        ),
        criteria={"customScript": {"scriptId": "generate_new_user_waterfall", "parameters": {}}},
    ),
    Template(
        id="retention",
        name="Retention",
        description="Invites users back who were active and have not been seen for two weeks.",
        schedule={"frequency": "weekly", "daysOfWeek": [4], "executionTime": "18:30"},
        pushes=(_push("Your closet misses you", "New pairs came in while you were away. Have a look.", 3),),
        criteria={"filters": {"daysSinceLastActive_inactive": 14, "minLifetimeTrades": 1}},
    ),
    Template(
        id="feature_announcement",
        name="Feature announcement",
        description="All users who were active in the last 90 days hear about something new, once.",
        schedule={"frequency": "once", "executionTime": "16:00"},
        pushes=(_push("There is something new", "Open the app, and be among the first to try it.", 1),),
        criteria={"filters": {"lastActiveDays": 90}},
    ),
)


@dataclass(frozen=True, kw_only=True)
class TemplateShown:
    """A recipe to begin with."""

    id: str
    name: str
    description: str
    recipe: Annotated[Document, Described("RecipeDocument")]


def templates(now: datetime) -> list[TemplateShown]:
    """Return every template with its recipe."""
    return [
        TemplateShown(
            id=template.id,
            name=template.name,
            description=template.description,
            recipe=template.document(now),
        )
        for template in TEMPLATES
    ]


def create_from_template(ports: Ports, template_id: str, changes: Mapping[str, Any], *, by: str) -> Recipe:
    """Create a recipe from a template, with the fields that `changes` names in place of the template's.

    NotFound for an unknown template; otherwise as `create_recipe`.
    """
    known = {template.id: template for template in TEMPLATES}
    if template_id not in known:
        raise NotFound(f"there is no template {template_id!r}; there are {', '.join(known)}")
    document = known[template_id].document(ports.clock.now())
    return create_recipe(ports, {**document, **changes}, by=by)
