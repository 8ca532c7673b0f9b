"""Check that a recipe can run in the deployment: its limits, its audience job, its templates and links.

`check_saved.py` checks more when a person saves it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from audience_jobs.contract import Audience, Job
from audience_jobs.query_based import AUDIENCE
from audience_jobs.workspace import Workspace
from functions.domain.cadence.layers import Layers
from functions.domain.documents import shown
from functions.domain.errors import BadRecipe, BadTemplate, FieldCode, FieldError
from functions.domain.execution.safeguards import recipe_errors
from functions.domain.policy import Policy
from functions.domain.push.links import Link
from functions.domain.recipe.defaults import in_force, named
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.read import Recipe
from functions.usecases.cadence.rules_in_force import layers_of
from functions.usecases.recipes.audience import FindJob, recipe_job


def check_recipe(recipe: Recipe, *, policy: Policy, find_job: FindJob, workspace: Workspace) -> None:
    """Raise BadRecipe with every field that prevents the recipe from running in this deployment."""
    errors = recipe_errors(recipe, policy.limits)
    errors += layer_errors(recipe, layers_of(workspace))
    errors += _topic_errors(recipe.topic, workspace.pushes.topics)
    errors += _channel_errors(recipe.settings.alert_channels, policy.alerts.channels)
    try:
        sent = in_force(recipe, workspace.pushes.defaults)
    except BadRecipe as error:
        raise BadRecipe([*errors, *error.errors]) from None
    found = _job_errors(sent, policy, find_job, workspace)
    errors += [named(error, recipe.document(), workspace.pushes.defaults) for error in found]
    if errors:
        raise BadRecipe(errors)


def audience_of(job: Job, push: RecipePush, position: int) -> Audience:
    """Return the audience of the push at a position (from 0): by name, else the job's `default`, else by position."""
    name = push.audience_name or AUDIENCE
    for audience in job.audiences:
        if audience.name == name:
            return audience
    known = ", ".join(audience.name for audience in job.audiences)
    if name == AUDIENCE:
        if position < len(job.audiences):
            return job.audiences[position]
        raise ValueError(f"is missing, and {job.id} declares no audience number {position + 1}, only {known}")
    raise ValueError(f"{push.audience_name!r} is not an audience of {job.id}; it declares {known}")


def layer_errors(recipe: Recipe, layers: Layers) -> list[FieldError]:
    """Return an error for each push whose layer the workspace lacks."""
    return [
        FieldError(
            f"{push_path(recipe, position)}.layerId",
            layers.refusal(recipe.layer_written(position)),
            FieldCode.OUT_OF_RANGE,
        )
        for position, push in enumerate(recipe.pushes)
        if push.layer_id not in layers.names
    ]


def _topic_errors(topic: str, known: Collection[str]) -> list[FieldError]:
    """Check the topic, once the workspace has any: nobody has opted out of a misspelled one."""
    if not topic or not known or topic in known:
        return []
    return [FieldError("topic", f"{shown(topic)} is not a topic of the workspace: there are {', '.join(known)}")]


def _channel_errors(named: object, known: Sequence[str]) -> list[FieldError]:
    """Check the names of channels. Only the deployment has their addresses, which are secret."""
    path = "settings.alertChannels"
    if named is None:
        return []
    if not isinstance(named, (list, tuple)):
        return [FieldError(path, f"must be a list of channels' names, got {shown(named)}")]
    there_are = f"there are {', '.join(known)}" if known else "this deployment has none"
    return [
        FieldError(f"{path}[{place}]", f"{shown(name)} is not a channel; {there_are} (ALERT_CHANNELS)")
        for place, name in enumerate(named)
        if name not in known
    ]


def _job_errors(recipe: Recipe, policy: Policy, find_job: FindJob, workspace: Workspace) -> list[FieldError]:
    try:
        job, _ = recipe_job(recipe, find_job, workspace)
    except BadRecipe as error:
        return list(error.errors)
    errors: list[FieldError] = []
    for position, push in enumerate(recipe.pushes):
        path = push_path(recipe, position)
        errors += _push_errors(job, push, position, path)
        errors += [replace(each, field=f"{path}.{each.field}") for each in not_allowed(push, policy, workspace)]
    return errors


def push_path(recipe: Recipe, position: int) -> str:
    """Return the path of the push at a position of the sequence, by its place in the document."""
    return f"pushSequence[{recipe.push_places[position]}]"


def _push_errors(job: Job, push: RecipePush, position: int, path: str) -> list[FieldError]:
    try:
        audience = audience_of(job, push, position)
    except ValueError as error:
        return [FieldError(f"{path}.audienceName", str(error))]
    return [replace(each, field=f"{path}.{each.field}") for each in column_errors(push, audience)]


def column_errors(push: RecipePush, audience: Audience) -> list[FieldError]:
    """Return an error for each text of a push that uses a column which its audience lacks."""
    columns = [column.name for column in audience.columns]
    errors = []
    for name, template in push.texts.items():
        try:
            template.require(columns, audience.name)
        except BadTemplate as error:
            errors.append(FieldError(name, str(error)))
    return errors


def not_allowed(push: RecipePush, policy: Policy, workspace: Workspace) -> list[FieldError]:
    """Return an error for each part of a push that the deployment does not allow, or that the workspace lacks."""
    errors = []
    for name, template in push.texts.items():
        try:
            if isinstance(template, Link):
                policy.links.check(template)
        except BadTemplate as error:
            errors.append(FieldError(name, str(error)))
    if push.asks_locales and not workspace.models.have_locales:
        field = "translations" if push.translations else "requireLocales"
        reason = "needs people.locale, which the workspace lacks: add the column locale to models/people.sql"
        errors.append(FieldError(field, reason))
    channel, known = push.android.channel_id, workspace.pushes.channels
    if channel and known and channel not in known:
        reason = f"{shown(channel)} is not a channel of the workspace, so Android would use the default one"
        errors.append(FieldError("android.channelId", f"{reason}: there are {', '.join(known)}"))
    return errors
