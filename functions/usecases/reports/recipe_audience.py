"""The audience of a recipe for people: its job, and the meaning of its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audience_jobs.contract import Column, Job, Value
from audience_jobs.errors import AudienceJobError
from functions.domain.errors import BadRecipe
from functions.domain.recipe.read import Recipe
from functions.ports import Ports
from functions.usecases.recipes.audience import describe_audience, recipe_job
from functions.usecases.recipes.check import audience_of


@dataclass(frozen=True, kw_only=True)
class RecipeAudience:
    """The job of a recipe with its arguments, the names of its pushes' audiences, the columns
    that they can use, and a description of the audience.

    Without a job, `problem` says why.
    """

    job: Job | None = None
    arguments: Mapping[str, Value] = field(default_factory=dict)
    names: Sequence[str] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    in_words: str = ""
    problem: str = ""


def recipe_audience(ports: Ports, recipe: Recipe) -> RecipeAudience:
    """Return the audience of a recipe, or why it cannot be built."""
    try:
        job, arguments = recipe_job(recipe, ports.find_job, ports.workspace)
        audiences = [audience_of(job, push, position) for position, push in enumerate(recipe.pushes)]
        columns = {column.name: column for audience in audiences for column in audience.columns}
        return RecipeAudience(
            job=job,
            arguments=arguments,
            names=[audience.name for audience in audiences],
            columns=columns,
            in_words=describe_audience(recipe, ports.workspace),
        )
    except (BadRecipe, AudienceJobError, ValueError) as error:
        return RecipeAudience(problem=str(error))
