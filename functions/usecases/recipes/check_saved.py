"""Check a recipe that a person saves: it can run, and its texts have no likely mistakes.

Stored recipes skip the second check: an active recipe goes on unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from audience_jobs.workspace import Workspace
from functions.domain.documents import shown, storage_errors
from functions.domain.errors import BadRecipe, FieldCode, FieldError
from functions.domain.execution.safeguards import past_errors
from functions.domain.ids import is_user_id, no_user_id
from functions.domain.policy import Policy
from functions.domain.push.content import content_errors, is_blank
from functions.domain.recipe.defaults import in_force, named
from functions.domain.recipe.field_paths import misspelled_keys
from functions.domain.recipe.labels import label_errors
from functions.domain.recipe.read import Recipe, parse
from functions.domain.recipe.schedule import LAST_DAY, Schedule, never_sends
from functions.domain.recipe.sound_document import SoundDocument
from functions.domain.recipe.zones import zone_names
from functions.usecases.recipes.audience import FindJob, recipe_job
from functions.usecases.recipes.check import audience_of, check_recipe, push_path


def checked_recipe(
    document: object,
    *,
    policy: Policy,
    find_job: FindJob,
    workspace: Workspace,
    now: datetime,
    default_id: str = "",
) -> Recipe:
    """Return the recipe of a document that a person saves; BadRecipe names all invalid fields at once."""
    try:
        recipe = parse(document, default_id=default_id)
    except BadRecipe as error:
        if isinstance(document, Mapping) and not storage_errors(document):
            found = _all_errors(
                document, error.errors, policy=policy, find_job=find_job, workspace=workspace, now=now
            )
            raise BadRecipe(found) from None
        raise
    errors = saving_errors(recipe, policy=policy, find_job=find_job, workspace=workspace, now=now)
    if errors:
        raise BadRecipe(errors)
    return recipe


def saving_errors(
    recipe: Recipe, *, policy: Policy, find_job: FindJob, workspace: Workspace, now: datetime
) -> list[FieldError]:
    """Return every error that prevents saving a recipe."""
    errors: list[FieldError] = []
    try:
        check_recipe(recipe, policy=policy, find_job=find_job, workspace=workspace)
    except BadRecipe as error:
        errors += error.errors
    found = [*_name_errors(recipe), *_schedule_errors(recipe, now), *_tester_errors(recipe, policy)]
    found += _no_tester_errors(recipe, policy)
    found += _content_errors(recipe, find_job, workspace)
    found += label_errors(recipe.document())
    found += misspelled_keys(recipe.document(), workspace.old_filters)
    return errors + [error for error in found if error not in errors]


def unwelcome_fields(recipe: Recipe, policy: Policy, workspace: Workspace) -> list[FieldError]:
    """Return the fields of a stored recipe that saving would refuse, although the recipe can run."""
    return [*_tester_errors(recipe, policy), *misspelled_keys(recipe.document(), workspace.old_filters)]


def unwelcome_content(recipe: Recipe, position: int, columns: Sequence[str]) -> list[str]:
    """Return the errors in the texts of a push whose audience has these columns, as sentences."""
    return [f"push {position + 1}: {error}" for error in content_errors(recipe.pushes[position], columns)]


def _name_errors(recipe: Recipe) -> list[FieldError]:
    written = recipe.document().get("name")
    if isinstance(written, str) and is_blank(written) and written:
        return [FieldError("name", "is blank: write a name, or leave the field out")]
    return []


def _schedule_errors(recipe: Recipe, now: datetime) -> list[FieldError]:
    errors = []
    if recipe.schedule.zone.key not in zone_names():
        reason = f"must be an IANA time zone such as America/New_York or UTC, got {shown(recipe.schedule.zone.key)}"
        errors.append(FieldError("schedule.timezone", reason))
    if never_sends(recipe.schedule):
        return [*errors, _never(recipe.schedule)]
    return errors + past_errors(recipe, now)


def _never(schedule: Schedule) -> FieldError:
    """Return the field that leaves a schedule without a day."""
    if schedule.start_date > LAST_DAY:
        return FieldError("schedule.startDate", f"{schedule.start_date} never comes: the last day is {LAST_DAY}")
    if schedule.cron:
        name = "schedule.cronExpression"
    else:
        name = "schedule.startDate" if schedule.end_date == LAST_DAY else "schedule.endDate"
    return FieldError(name, "leaves no day to send on: no day of the schedule ever comes")


def _tester_errors(recipe: Recipe, policy: Policy) -> list[FieldError]:
    form = policy.user_id_format
    return [
        FieldError(f"settings.testUserIds[{place}]", no_user_id(shown(user), form), FieldCode.BAD_USER_ID)
        for place, user in enumerate(recipe.settings.test_user_ids)
        if user.strip() and not is_user_id(user.strip(), form)
    ]


def _no_tester_errors(recipe: Recipe, policy: Policy) -> list[FieldError]:
    """Return the error of a recipe whose sends would all be blocked, because its test reaches no user."""
    testers = [*recipe.settings.test_user_ids, *policy.default_test_user_ids]
    if any(map(str.strip, testers)) or not recipe.is_active or not recipe.settings.safeguards.require_test_first:
        return []
    reason = (
        "names no test user, so every send would be blocked at its test: name a test user here or in "
        "DEFAULT_TEST_USER_IDS, or set settings.safeguards.requireTestFirst to false"
    )
    return [FieldError("settings.testUserIds", reason, FieldCode.MISSING)]


def _content_errors(recipe: Recipe, find_job: FindJob, workspace: Workspace) -> list[FieldError]:
    """Return the errors in the texts of each push as it is sent, with the workspace's defaults."""
    errors, defaults = [], workspace.pushes.defaults
    try:
        sent = in_force(recipe, defaults)
    except BadRecipe:
        return []  # as `check_recipe` says
    for position, push in enumerate(sent.pushes):
        path = push_path(recipe, position)
        found = content_errors(push, _columns(recipe, position, find_job, workspace))
        errors += [replace(error, field=f"{path}.{error.field}") for error in found]
    return [named(error, recipe.document(), defaults) for error in errors]


def _columns(recipe: Recipe, position: int, find_job: FindJob, workspace: Workspace) -> list[str]:
    """Return the columns of a push's audience; none if its job or audience is invalid, which is another error."""
    try:
        job, _ = recipe_job(recipe, find_job, workspace)
        return [column.name for column in audience_of(job, recipe.pushes[position], position).columns]
    except (BadRecipe, ValueError):
        return []


def _all_errors(
    document: Mapping[str, Any],
    known: Sequence[FieldError],
    *,
    policy: Policy,
    find_job: FindJob,
    workspace: Workspace,
    now: datetime,
) -> list[FieldError]:
    """Return further errors of an unreadable document, besides the known invalid fields."""
    sound, misspelled = SoundDocument(document, known), misspelled_keys(document, workspace.old_filters)
    try:
        recipe = sound.recipe()
    except BadRecipe:
        return misspelled + sound.errors
    found = saving_errors(recipe, policy=policy, find_job=find_job, workspace=workspace, now=now)
    return (
        misspelled
        + sound.errors
        + [error for error in found if not sound.covers(error.field) and error not in misspelled]
    )
