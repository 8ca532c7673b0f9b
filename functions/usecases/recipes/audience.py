"""Choose the audience job of a recipe: the one that it names, or one made from its criteria."""

import json
from collections.abc import Callable

from audience_jobs.contract import Job, Value
from audience_jobs.criteria import Criteria, read_criteria
from audience_jobs.criteria_words import describe
from audience_jobs.errors import AudienceJobError, BadCriteria
from audience_jobs.query_based import job_of
from audience_jobs.workspace import Workspace
from functions.domain.errors import BadRecipe, FieldError
from functions.domain.recipe.document import QUERY_FIELDS
from functions.domain.recipe.read import Recipe

FindJob = Callable[[str], Job]


def recipe_job(recipe: Recipe, find_job: FindJob, workspace: Workspace) -> tuple[Job, dict[str, Value]]:
    """Return the job that builds a recipe's audiences, with its arguments.

    A named script takes precedence over all other criteria, which may read the tables of the workspace. BadRecipe
    names the invalid fields.
    """
    if not recipe.criteria.job_id:
        return _criteria_job(recipe_criteria(recipe, workspace), workspace), {}
    try:
        job = find_job(recipe.criteria.job_id)
    except AudienceJobError as error:
        raise _bad_criteria(("customScript.scriptId", str(error))) from error
    try:
        return job, job.arguments(recipe.criteria.custom_script.parameters)
    except AudienceJobError as error:
        raise _bad_criteria(("customScript.parameters", str(error))) from error


def _criteria_job(criteria: Criteria, workspace: Workspace) -> Job:
    try:
        return job_of(criteria, workspace)
    except BadCriteria as error:
        raise _bad_criteria(*error.errors) from error


def recipe_criteria(recipe: Recipe, workspace: Workspace) -> Criteria:
    """Return the criteria of a query-based recipe; BadRecipe if there are none, or they are invalid."""
    if not recipe.criteria.query.keys() & {*QUERY_FIELDS, *workspace.old_filters}:
        reason = "is missing: choose who gets it, with a job, conditions, a list of users or a query"
        raise _bad_criteria(("customScript.scriptId", reason))
    try:
        criteria = read_criteria(recipe.criteria.query, workspace)
    except BadCriteria as error:
        raise _bad_criteria(*error.errors) from error
    if not criteria.narrows:
        reason = f"has no filter, so every user would get it; if you mean that, write {_everybody(workspace)}"
        raise _bad_criteria(("where" if workspace.has_models else "filters", reason))
    return criteria


def _everybody(workspace: Workspace) -> str:
    """Return the criteria that find every user: conditions without any, or the least of a count."""
    if workspace.has_models:
        return '"where": {"all": []}'
    least = (each.name for each in workspace.filters.values() if each.at_most)
    return next((f'"{name}": 0' for name in least), '"customQuery": "SELECT id AS user_id FROM users"')


def criteria_example(workspace: Workspace) -> str:
    """Return criteria of a recipe in a workspace as an example, in JSON."""
    days = [] if workspace.has_models else [each.name for each in workspace.filters.values() if each.kind == "days"]
    return json.dumps({"filters": {days[0]: 30}} if days else {"where": {"all": []}})


def describe_audience(recipe: Recipe, workspace: Workspace) -> str:
    """Describe a recipe's audience in words; BadRecipe as in `recipe_criteria`."""
    if recipe.criteria.job_id:
        return f"users that the job {recipe.criteria.job_id} finds"
    return describe(recipe_criteria(recipe, workspace))


def _bad_criteria(*errors: tuple[str, str]) -> BadRecipe:
    return BadRecipe([FieldError(f"audienceCriteria.{field}", reason) for field, reason in errors])
