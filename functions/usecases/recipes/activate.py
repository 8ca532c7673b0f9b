"""Review a recipe before its activation, and activate it as reviewed.

A review is a dry run of the recipe as it would be while active. What blocks it refuses the activation; an audience
without users only warns, because a later send may have some.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from functions.domain.audit import Action
from functions.domain.errors import BadInput, BadRecipe, FieldError, NotPossible, Stale
from functions.domain.execution.safeguards import Severity, ViolationType
from functions.domain.recipe.first_send import ScheduleUnderWay, Underway
from functions.domain.recipe.read import Document, Recipe, parse
from functions.domain.recipe.status import Status, read_status
from functions.domain.recipe.timeline import Timeline
from functions.ports import Ports
from functions.usecases.dry_run.preview import preview
from functions.usecases.dry_run.previewed import Preview, Problem
from functions.usecases.recipes.check_saved import checked_recipe
from functions.usecases.recipes.move_sends import Move, plan_move, recent_executions
from functions.usecases.recipes.save import resume_recipe, stored_recipe, version_of
from functions.usecases.timeline.steps import timeline_of

CONFIRM_ABOVE = 1_000
"""With more people than this, activating takes their number, typed."""
_NEXT_SENDS = 5
_MOST_NAMES = 5
"""Of the test users that a test would miss."""
_OF_SAVING = (ViolationType.UNWELCOME_CONTENT, ViolationType.UNWELCOME_FIELD)
"""Problems that the checks of saving name with their exact fields."""
_FIELDS: Mapping[ViolationType, str] = {
    ViolationType.AUDIENCE_FAILED: "audienceCriteria",
    ViolationType.AUDIENCE_EMPTY: "audienceCriteria",
    ViolationType.AUDIENCE_TOO_LARGE: "settings.safeguards.maxAudienceSize",
    ViolationType.TOTAL_AUDIENCE_TOO_LARGE: "audienceCriteria",
    ViolationType.AUDIENCE_ALERT: "settings.safeguards.alertThresholds.audienceSize",
    ViolationType.TEST_FAILED: "settings.testUserIds",
    ViolationType.UNWELCOME_CONTENT: "pushSequence",
    ViolationType.MISSING_TRANSLATION: "pushSequence",
}


@dataclass(frozen=True, kw_only=True)
class Plans:
    """What can be said about an activation without the user data: when it would send, and which fields block it.

    `recipe` is None if the document cannot be read, and `timeline` is that of the first send. `passed_over` says of
    each send before it why it is too near to be prepared, or not sent for another reason.
    """

    version: str
    recipe: Recipe | None
    sends: Sequence[datetime]
    timeline: Timeline | None
    passed_over: Sequence[str]
    blocking: Sequence[FieldError]


@dataclass(frozen=True, kw_only=True)
class Review:
    """Plans, and the dry run of the same version; None if a field prevents it."""

    plans: Plans
    found: Preview | None
    blocking: Sequence[FieldError]
    warnings: Sequence[FieldError]

    @property
    def reviewed(self) -> "Reviewed":
        """The part that an activation needs."""
        people = self.found.totals.eligible_people if self.found else 0
        return Reviewed(version=self.plans.version, people=people, blocking=len(self.blocking))


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """The result of a review: the version of the document, the people it would reach, and how much blocks it."""

    version: str
    people: int
    blocking: int

    @property
    def asks_number(self) -> bool:
        """Whether activating takes the number of people."""
        return self.people > CONFIRM_ABOVE


def plans_of(ports: Ports, recipe_id: str) -> Plans:
    """Return when a recipe would send if it became active now. NotFound without such a recipe."""
    stored = stored_recipe(ports, recipe_id)
    now, blocking, recipe = ports.clock.now(), list[FieldError](), None
    active = {**stored, "id": recipe_id, "status": Status.ACTIVE.value, "isActive": True}
    try:
        recipe = checked_recipe(
            active, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace, now=now
        )
    except BadRecipe as error:
        blocking += error.errors
        recipe = _readable(active)
    move = _move(ports, stored, recipe, now, blocking) if recipe else Move()
    first = move.first_send_at
    sends = list(islice(recipe.sends(first), _NEXT_SENDS)) if recipe and first else []
    return Plans(
        version=version_of(stored),
        recipe=recipe,
        sends=sends,
        timeline=timeline_of(recipe, sends[0]) if recipe and sends else None,
        passed_over=move.passed_over,
        blocking=blocking,
    )


def review(ports: Ports, recipe_id: str) -> Review:
    """Return the plans and a dry run with the real audience. It reads user data, and can take seconds."""
    plans, found = plans_of(ports, recipe_id), None
    blocking, warnings = list(plans.blocking), list[FieldError]()
    if plans.recipe is not None:
        try:
            found = preview(ports, plans.recipe.document(), test=False)
        except BadRecipe as error:
            blocking += [each for each in error.errors if each not in blocking]
    for problem in _not_said(found, plans.blocking):
        blocks = problem.severity is Severity.CRITICAL and problem.type is not ViolationType.AUDIENCE_EMPTY
        reason = _missing_testers(ports, found, problem) or problem.message
        (blocking if blocks else warnings).append(FieldError(_FIELDS.get(problem.type, ""), reason))
    return Review(plans=plans, found=found, blocking=blocking, warnings=warnings)


def activate_recipe(
    ports: Ports, recipe_id: str, reviewed: Reviewed, *, confirmed: int | None = None, by: str
) -> Recipe:
    """Activate a recipe as it was reviewed.

    NotPossible if the review found what blocks it; BadInput if it asks for the number of people, and `confirmed` is
    another one; Stale if the document has changed since; BadRecipe if it cannot be saved as active any more.
    """
    if reviewed.blocking:
        raise NotPossible(f"recipe {recipe_id} cannot be activated: fix what its review names first")
    if version_of(stored_recipe(ports, recipe_id)) != reviewed.version:
        raise Stale(f"recipe {recipe_id!r} has been changed since its review: review it again")
    if reviewed.asks_number and confirmed != reviewed.people:
        raise BadInput(f"type the number of people, {reviewed.people:,}, to activate this campaign")
    return resume_recipe(ports, recipe_id, by=by, versions=(reviewed.version,))


def needs_review(ports: Ports, recipe_id: str) -> bool:
    """Return whether a recipe has to be reviewed before it sends.

    It has not if it was active, and is as its pause left it: it goes on as it was. An edit by hand has no entry in
    the audit log, so the documents are compared.
    """
    for entry in ports.audit.of_recipe(recipe_id, most=1):
        paused = entry.deed.action is Action.PAUSED and _was_active(entry.before)
        return not (paused and version_of(entry.after or {}) == version_of(stored_recipe(ports, recipe_id)))
    return True


def _was_active(document: Mapping[str, Any] | None) -> bool:
    try:
        return read_status(document or {})[0] is Status.ACTIVE
    except BadRecipe:
        return False


def _readable(document: Document) -> Recipe | None:
    try:
        return parse(document)
    except BadRecipe:
        return None


def _move(ports: Ports, stored: Document, recipe: Recipe, now: datetime, blocking: list[FieldError]) -> Move:
    """Return the first send that can be prepared, and those passed over. Without one, add to what blocks."""
    executions = recent_executions(ports, recipe.id, now)
    try:
        return plan_move(stored, recipe, executions, now, None)
    except BadRecipe as error:
        blocking += [each for each in error.errors if each.field not in {known.field for known in blocking}]
        return Move()
    except ScheduleUnderWay:
        return plan_move(stored, recipe, executions, now, Underway.KEEP)


def _missing_testers(ports: Ports, found: Preview | None, problem: Problem) -> str:
    """Return a failing test as a sentence that names the test users it misses; empty for any other problem."""
    if problem.type is not ViolationType.TEST_FAILED or found is None or not found.missed_testers:
        return ""
    names = {each.key: f"{each.name} ({each.user_id})" for each in ports.testers.all()}
    missed = [names.get(each.user_id, each.user_id) for each in found.missed_testers]
    more = f" and {len(missed) - _MOST_NAMES} more" if len(missed) > _MOST_NAMES else ""
    blocks = problem.severity is Severity.CRITICAL
    so = "each send is blocked unless every test user gets its test" if blocks else "sends go on without their test"
    return f"{problem.message}. This is about {', '.join(missed[:_MOST_NAMES])}{more}: {so}"


def _not_said(found: Preview | None, said: Sequence[FieldError]) -> Iterator[Problem]:
    """Yield the problems of a dry run that no field names already."""
    fields = {error.field.partition("[")[0] for error in said}
    for problem in found.problems if found else ():
        if problem.type is ViolationType.SHORT_WINDOW:  # of a send by hand; a scheduled one has its own lead time
            continue
        if not (problem.type in _OF_SAVING and said) and _FIELDS.get(problem.type) not in fields:
            yield problem
