"""Take over the recipes and scheduled pushes of the system that Tminus replaces; doing it again changes nothing."""

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
    """What became of an old document, or would."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    """It was taken over before; what people have made of the recipe since stays."""
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class OldDocument:
    """A document of the old system: what people know it by, and what was read, or the reason why it could not be."""

    name: str
    content: object = None
    unreadable: str = ""

    @property
    def default_id(self) -> str:
        """The id of a recipe that has none: the name of the file that holds nothing else."""
        name = self.name.rpartition("/")[2]
        return name.removesuffix(".json") if name.endswith(".json") else ""


@dataclass(frozen=True, kw_only=True)
class MigratedShown:
    """What became of a document; `notices` say what was read otherwise than it was written."""

    document: str
    outcome: Outcome
    recipe_id: str
    status: str
    notices: Sequence[str]
    errors: Sequence[FieldAtFault]


@dataclass(frozen=True, kw_only=True)
class MigrationStatus:
    """How many recipes were scheduled pushes of the old system."""

    migrated: int
    by_status: Mapping[str, int]


def refused(old: OldDocument, errors: Sequence[FieldError]) -> MigratedShown:
    """Return that a document cannot be used, and why."""
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
    """Take over each document on its own, and yield what became of it; a dry run yields what would.

    A recipe keeps its id and its status. An active one that has no send left is completed.
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
    """Return how many recipes were scheduled pushes of the old system, all of them and by status."""
    statuses: Counter[str] = Counter()
    for document in ports.recipes.all():
        metadata = document.get("metadata")
        if isinstance(metadata, Mapping) and ORIGIN in metadata:
            statuses[str(document.get("status"))] += 1
    return MigrationStatus(migrated=sum(statuses.values()), by_status=statuses)


def _recipe_of(ports: Ports, old: OldDocument) -> tuple[Recipe, Sequence[str]]:
    """Return the recipe that a document is or becomes, not yet checked, and what was read otherwise than written."""
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
    """Raise BadFields where a recipe could not run; what will never run is kept as it is."""
    if recipe.status in _NEVER_RUNS:
        return
    check_recipe(recipe, policy=ports.policy, find_job=ports.find_job)
    now = ports.clock.now()
    errors = no_send_errors(recipe, first_send(recipe, (), now), now)
    if errors:
        raise BadFields(errors)


def _refused_later(ports: Ports, recipe: Recipe) -> Sequence[str]:
    """Return what the next person who saves the recipe has to fix; the old system sent it as it is."""
    if recipe.status in _NEVER_RUNS:
        return ()
    errors = saving_errors(recipe, policy=ports.policy, find_job=ports.find_job, now=ports.clock.now())
    return [f"it is taken over as it is, but has to be fixed before it is saved again: {error}" for error in errors]


def _taken_over_before(ports: Ports, recipe: Recipe, taken: dict[str, str]) -> Recipe | None:
    """Return the recipe that is there already; BadFields where it, or a document before, is another of that id."""
    mark = fingerprint(recipe.document())
    if taken.setdefault(recipe.id, mark) != mark:
        raise BadFields([FieldError("id", f"{recipe.id} is that of another document that came before")])
    stored = ports.recipes.get(recipe.id)
    if stored is None:
        return None
    origin, known = recipe.document().get("metadata"), stored.get("metadata")
    if isinstance(origin, Mapping) and ORIGIN in origin and (not isinstance(known, Mapping) or ORIGIN not in known):
        raise BadFields([FieldError("id", f"a recipe {recipe.id} is there that is not this push: rename that one")])
    return read(stored, default_id=recipe.id)


def _added(ports: Ports, recipe: Recipe, by: str) -> Recipe:
    try:
        return add_recipe(ports, recipe, by=by)
    except NotPossible as error:
        raise BadFields([FieldError("id", str(error))]) from error
