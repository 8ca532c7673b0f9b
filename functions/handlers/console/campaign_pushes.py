"""The pushes on a campaign's page: with the values of a real person, and how many people get each fallback."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace

from functions.domain.push.template import Variable
from functions.domain.recipe.read import Recipe
from functions.handlers.console.composer import ShownVariable, column_of
from functions.handlers.console.phones import Phone, phone_of
from functions.usecases.dry_run.sample_messages import Sample, sample_of
from functions.usecases.dry_run.sample_people import SamplePeople
from functions.usecases.reports.recipe_audience import RecipeAudience


@dataclass(frozen=True, kw_only=True)
class ShownPush:
    """A push with its sample as phones show it, and the variables in its texts.

    `users` is the size of the audience that the values come from; 0 while it is unknown.
    """

    sample: Sample
    phone: Phone
    variables: Sequence[ShownVariable]
    users: int = 0


def shown_pushes(
    recipe: Recipe, samples: Sequence[Sample], people: Sequence[SamplePeople], audience: RecipeAudience
) -> list[ShownPush]:
    """Return the pushes of a recipe: with the people of its last audiences, else as in `samples`."""
    by_name = {each.audience: each for each in people}
    found = [by_name.get(name) for name in audience.names] or [None] * len(samples)
    return [_shown(recipe, each, of, audience) for each, of in zip(samples, found, strict=True)]


def _shown(recipe: Recipe, sample: Sample, people: SamplePeople | None, audience: RecipeAudience) -> ShownPush:
    position = sample.push - 1
    push = recipe.pushes[position]
    row = people.mapped(people.rows[0]) if people and people.rows else None
    if row is not None:
        sample = sample_of(recipe, position, row, sample.audience)
    fallbacks = dict(_fallbacks(recipe, position))
    return ShownPush(
        sample=sample,
        phone=phone_of(push, sample),
        variables=[
            replace(column_of(name, _meaning(audience, name), people, row), fallback=fallback)
            for name, fallback in fallbacks.items()
        ],
        users=people.users if people else 0,
    )


def _meaning(audience: RecipeAudience, name: str) -> str:
    return audience.columns[name].meaning if name in audience.columns else "not a column of the audience"


def _fallbacks(recipe: Recipe, position: int) -> Iterator[tuple[str, str | None]]:
    for template in reversed(recipe.pushes[position].own_texts.values()):
        yield from ((part.column, part.fallback) for part in template.parts if isinstance(part, Variable))


def in_language(recipe: Recipe, tag: str) -> Recipe:
    """Return a recipe whose pushes are in one of their languages; a push without it keeps its own."""
    spoken = copy(recipe)
    spoken.pushes = tuple(push.in_language(tag) if tag in push.translations else push for push in recipe.pushes)
    return spoken
