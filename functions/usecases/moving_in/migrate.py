"""Migrate the recipes and scheduled pushes of the system that Tminus replaces. Repeating it changes nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from functions.domain.documents import fingerprint, shown
from functions.domain.errors import BadFields, FieldError, NotPossible
from functions.domain.execution.safeguards import past_errors
from functions.domain.recipe.first_send import first_send, no_send_errors
from functions.domain.recipe.old_push import ORIGIN, is_old_push, old_field, once_recipe
from functions.domain.recipe.read import Recipe, parse, read
from functions.domain.recipe.status import Status
from functions.ports import Ports
from functions.usecases.recipes.check import check_recipe
from functions.usecases.recipes.check_saved import saving_errors
from functions.usecases.recipes.save import add_recipe, match_schedule
from functions.usecases.reports.field_at_fault import FieldAtFault, fields_at_fault

_NEVER_RUNS = (Status.COMPLETED, Status.ARCHIVED)


class Outcome(StrEnum):
    """The result for an old document, or of a dry run for it."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    """It was migrated before. Later changes of the recipe are kept."""
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class OldDocument:
    """A document of the old system: its name, and its content, or why it could not be read."""

    name: str
    content: object = None
    unreadable: str = ""

    @property
    def default_id(self) -> str:
        """The id for a recipe without one: the name of its file, if the file has no other document."""
        name = self.name.rpartition("/")[2]
        return name.removesuffix(".json") if name.endswith(".json") else ""


@dataclass(frozen=True, kw_only=True)
class MigratedShown:
    """The result for a document. `notices` describe values that were converted."""

    document: str
    outcome: Outcome
    recipe_id: str
    status: str
    notices: Sequence[str]
    errors: Sequence[FieldAtFault]


@dataclass(frozen=True, kw_only=True)
class MigrationStatus:
    """The number of recipes made from scheduled pushes of the old system."""

    migrated: int
    by_status: Mapping[str, int]


def refused(old: OldDocument, errors: Sequence[FieldError]) -> MigratedShown:
    """Return the result for an unusable document, with the reason."""
    return _became(old, Outcome.REFUSED, errors=errors)


def _became(
    old: OldDocument,
    outcome: Outcome,
    recipe: Recipe | None = None,
    notices: Sequence[str] = (),
    errors: Sequence[FieldError] = (),
) -> MigratedShown:
    return MigratedShown(
        document=old.name,
        outcome=outcome,
        recipe_id=recipe.id if recipe else "",
        status=recipe.status.value if recipe else "",
        notices=notices,
        errors=fields_at_fault(errors),
    )


def migrate(ports: Ports, documents: Iterable[OldDocument], *, by: str, dry_run: bool) -> Iterator[MigratedShown]:
    """Migrate each document separately, and yield its result; a dry run yields what would happen.

    A recipe keeps its id and status. An active recipe without a send left becomes completed.
    """
    taken: dict[str, str] = {}
    for old in documents:
        try:
            yield _migrate_one(ports, old, taken, by=by, dry_run=dry_run)
        except BadFields as error:
            where = old_field if is_old_push(old.content) else str
            errors = [replace(each, field=where(each.field)) for each in error.errors]
            yield refused(old, errors)


def _migrate_one(ports: Ports, old: OldDocument, taken: dict[str, str], *, by: str, dry_run: bool) -> MigratedShown:
    recipe, notices = _recipe_of(ports, old)
    known = _taken_over_before(ports, recipe, taken)
    if known is not None:
        if not dry_run:
            match_schedule(ports, known)  # a crash may have come between the recipe and its schedule
        return _became(old, Outcome.UNCHANGED, known)
    _check(ports, recipe)
    if not dry_run:
        recipe = _added(ports, recipe, by)
    notices = [*notices, *recipe.notices, *_refused_later(ports, recipe)]
    return _became(old, Outcome.CREATED, recipe, notices)


def migration_status(ports: Ports) -> MigrationStatus:
    """Return the number of recipes made from scheduled pushes of the old system, in total and by status."""
    statuses: Counter[str] = Counter()
    for document in ports.recipes.all():
        metadata = document.get("metadata")
        if isinstance(metadata, Mapping) and ORIGIN in metadata:
            statuses[str(document.get("status"))] += 1
    return MigrationStatus(migrated=sum(statuses.values()), by_status=statuses)


def _recipe_of(ports: Ports, old: OldDocument) -> tuple[Recipe, Sequence[str]]:
    """Return the unchecked recipe for a document, and notices about converted values."""
    if old.unreadable:
        raise BadFields([FieldError("", old.unreadable)])
    now = ports.clock.now()
    if isinstance(old.content, Mapping) and is_old_push(old.content):
        made = once_recipe(old.content, now)
        return parse(made.document), made.notices
    if not isinstance(old.content, Mapping) or "pushSequence" not in old.content:
        reason = f"is neither a recipe (pushSequence) nor a scheduled push (scheduledFor): {shown(old.content)}"
        raise BadFields([FieldError("", reason)])
    recipe = parse(old.content, default_id=old.default_id)
    if not past_errors(recipe, now):
        return recipe, ()
    completed = parse({**recipe.document(), "status": Status.COMPLETED.value, "isActive": False})
    return completed, ("it was active and has no send left: it is completed",)


def _check(ports: Ports, recipe: Recipe) -> None:
    """Raise BadFields if the recipe could not run. A recipe that will never run is kept unchanged."""
    if recipe.status in _NEVER_RUNS:
        return
    check_recipe(recipe, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace)
    now = ports.clock.now()
    errors = no_send_errors(recipe, first_send(recipe, (), now), now)
    if errors:
        raise BadFields(errors)


def _refused_later(ports: Ports, recipe: Recipe) -> Sequence[str]:
    """Return what the next person who saves the recipe has to fix. The old system accepted it."""
    if recipe.status in _NEVER_RUNS:
        return ()
    errors = saving_errors(
        recipe, policy=ports.policy, find_job=ports.find_job, workspace=ports.workspace, now=ports.clock.now()
    )
    return [f"it is migrated unchanged, but has to be fixed before it is saved again: {error}" for error in errors]


def _taken_over_before(ports: Ports, recipe: Recipe, taken: dict[str, str]) -> Recipe | None:
    """Return the existing recipe; BadFields if it, or an earlier document, is a different one with that id."""
    mark = fingerprint(recipe.document())
    if taken.setdefault(recipe.id, mark) != mark:
        raise BadFields([FieldError("id", f"{recipe.id} is the id of an earlier document")])
    stored = ports.recipes.get(recipe.id)
    if stored is None:
        return None
    origin, known = recipe.document().get("metadata"), stored.get("metadata")
    if isinstance(origin, Mapping) and ORIGIN in origin and (not isinstance(known, Mapping) or ORIGIN not in known):
        raise BadFields([FieldError("id", f"a recipe {recipe.id} exists that is not this push: rename it")])
    return read(stored, default_id=recipe.id)


def _added(ports: Ports, recipe: Recipe, by: str) -> Recipe:
    try:
        return add_recipe(ports, recipe, by=by)
    except NotPossible as error:
        raise BadFields([FieldError("id", str(error))]) from error
