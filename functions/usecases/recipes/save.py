"""Save, pause, resume and delete recipes. A change applies to future executions at once.

`by` goes into the audit log: the e-mail address of the caller, or the part of Tminus that acts.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from functions.domain.audit import Action, Deed
from functions.domain.documents import fingerprint
from functions.domain.errors import NotFound, NotPossible, Stale
from functions.domain.execution.execution import Execution
from functions.domain.instants import stamp
from functions.domain.recipe.first_send import Underway
from functions.domain.recipe.labels import owner_of
from functions.domain.recipe.moved import has_status
from functions.domain.recipe.read import FIRST_SEND_AT, Document, Recipe, parse, read
from functions.domain.recipe.schedule import scheduler_cron
from functions.domain.recipe.skips import with_past_skips, with_skip, without_skip
from functions.domain.recipe.status import Status
from functions.ports import Ports
from functions.ports.queue import ScheduledJob
from functions.usecases.deeds import deed_now
from functions.usecases.recipes.check_saved import checked_recipe
from functions.usecases.recipes.move_sends import (
    Move,
    cancel_displaced,
    plan_move,
    recent_executions,
    record_missed_before,
    start_moved,
)
from functions.usecases.recipes.moved import copies_of, moved_to, refuse_moved, refuse_restored, waiting_copies
from functions.usecases.recipes.with_segments import with_current_segments
from functions.usecases.timeline.control import cancel_before_live, live_of
from functions.usecases.timeline.orphans import went_live

LAUNCH = "launch"
_Change = Callable[[Document | None], Recipe]


def save_recipe(
    ports: Ports, document: Mapping[str, Any], *, by: str, default_id: str = "", underway: Underway | None = None
) -> Recipe:
    """Create a recipe or replace the one with its id, and update its schedule. BadRecipe changes nothing.

    ScheduleUnderWay as in `update_recipe`.
    """
    recipe = checked(ports, document, default_id)
    return _change(ports, recipe.id, lambda _: recipe, deed_now(ports, by, Action.SAVED), underway=underway)


def create_recipe(ports: Ports, document: Mapping[str, Any], *, by: str) -> Recipe:
    """Create a recipe. NotPossible if the id is taken: it must not replace another recipe."""
    return add_recipe(ports, checked(ports, document), by=by)


def add_recipe(ports: Ports, recipe: Recipe, *, by: str) -> Recipe:
    """Create a recipe that is checked already, or that never runs. NotPossible if the id is taken."""

    def create(stored: Document | None) -> Recipe:
        if stored is not None:
            raise NotPossible(
                f"there is a recipe {recipe.id!r} already: change that one, or give this one another id"
            )
        return recipe

    return _change(ports, recipe.id, create, deed_now(ports, by, Action.SAVED))


def update_recipe(
    ports: Ports,
    recipe_id: str,
    changes: Mapping[str, Any],
    *,
    by: str,
    versions: Collection[str] | None = None,
    underway: Underway | None = None,
) -> Recipe:
    """Change the fields in `changes`, keep the others, and update the schedule and the executions.

    `versions` are results of `version_of`; Stale if the stored document has none of them. If `changes` has only one
    of `status` and `isActive`, the stored other one is dropped. ScheduleUnderWay if the schedule moves away from an
    execution under way, and `underway` does not say whether to keep or replace it.
    """
    others = {"status", "isActive"} if {"status", "isActive"} & changes.keys() else set()

    def update(stored: Document | None) -> Recipe:
        if stored is None:
            raise _missing(recipe_id)
        check_version(recipe_id, stored, versions)
        kept = {name: value for name, value in stored.items() if name not in others}
        return checked(ports, {**kept, **changes, "id": recipe_id})

    return _change(ports, recipe_id, update, deed_now(ports, by, Action.SAVED), underway=underway)


def version_of(document: Mapping[str, Any]) -> str:
    """Return the version of a stored document, as a name that changes with its content."""
    return fingerprint(document)


def check_version(recipe_id: str, stored: Mapping[str, Any], versions: Collection[str] | None) -> None:
    """Raise Stale unless the stored document has one of the versions. None, or `*` among them, accepts any."""
    if versions is not None and "*" not in versions and version_of(stored) not in versions:
        raise Stale(f"recipe {recipe_id!r} has been changed since you read it: read it again, and change that")


def stored_recipe(ports: Ports, recipe_id: str) -> Document:
    """Return the stored document of a recipe, which may be broken by hand. NotFound if there is none."""
    document = ports.recipes.get(recipe_id)
    if document is None:
        raise _missing(recipe_id)
    return document


def _missing(recipe_id: str) -> NotFound:
    return NotFound(f"there is no recipe {recipe_id!r}")


def pause_recipe(ports: Ports, recipe_id: str, *, by: str) -> Recipe:
    """Stop the future executions of a recipe, and its moved sends, and cancel those under way that are before T-0."""
    return _change(
        ports, recipe_id, _with_status(recipe_id, Status.PAUSED, parse), deed_now(ports, by, Action.PAUSED)
    )


def resume_recipe(ports: Ports, recipe_id: str, *, by: str, versions: Collection[str] | None = None) -> Recipe:
    """Let a recipe send again, from its next start. Stale as in `update_recipe`."""
    resumed = _with_status(recipe_id, Status.ACTIVE, lambda document: checked(ports, document))

    def resume(stored: Document | None) -> Recipe:
        check_version(recipe_id, stored or {}, versions)
        return resumed(stored)

    return _change(ports, recipe_id, resume, deed_now(ports, by, Action.RESUMED))


def skip_send(ports: Ports, recipe_id: str, send_at: datetime, *, by: str, action: Action = Action.SKIPPED) -> Recipe:
    """Leave out one send of an active recipe, and cancel its execution if that is before T-0.

    NotPossible as in `with_skip`, and if the send is live. The audit log names the `action`.
    """
    live = [each for each in live_of(ports, recipe_id) if each.send_at == send_at]
    if live:
        raise NotPossible(f"execution {live[0].id} is live: stop it instead")

    def skip(stored: Document) -> Recipe:
        return parse(with_skip(stored, send_at, ports.clock.now()))

    return _change(ports, recipe_id, _of_stored(recipe_id, skip), deed_now(ports, by, action))


def restore_send(ports: Ports, recipe_id: str, send_at: datetime, *, by: str) -> Recipe:
    """Take back the skip of a send. A cancelled execution stays cancelled.

    If the send was moved, the recipe that would send in its place is paused. NotPossible if the send's time has
    passed, or if that recipe has sent: users would get the push twice.
    """

    def restore(stored: Document) -> Recipe:
        return parse(without_skip(stored, send_at, ports.clock.now()))

    stored = stored_recipe(ports, recipe_id)
    restore(stored)
    moved = moved_to(ports, stored, send_at)
    if moved and not went_live(ports, moved):
        pause_recipe(ports, moved, by=by)
    restored = _change(ports, recipe_id, _of_stored(recipe_id, restore), deed_now(ports, by, Action.RESTORED))
    try:
        refuse_moved(ports, stored, restored.document())  # somebody may have moved it meanwhile
    except NotPossible:
        skip_send(ports, recipe_id, send_at, by=by)
        raise
    return restored


def complete_recipe(ports: Ports, recipe_id: str, *, by: str) -> Recipe:
    """Mark a recipe without remaining sends as completed. NotPossible if it is not active, or has a send left."""

    def read_done(document: Document) -> Recipe:
        recipe = parse(document)
        if next(recipe.sends(ports.clock.now()), None) is not None:
            raise NotPossible(f"recipe {recipe_id} has a send left: its schedule was changed")
        return recipe

    def complete(stored: Document | None) -> Recipe:
        if stored is not None and not read(stored, default_id=recipe_id).is_active:
            raise NotPossible(f"recipe {recipe_id} is not active")
        return _with_status(recipe_id, Status.COMPLETED, read_done)(stored)

    complete(ports.recipes.get(recipe_id))  # most calls come from `finish` and end here, after one read
    return _change(ports, recipe_id, complete, deed_now(ports, by, Action.COMPLETED), cancel=False)


def delete_recipe(
    ports: Ports, recipe_id: str, *, by: str, versions: Collection[str] | None = None
) -> list[Execution]:
    """Delete a recipe and its schedule, cancel its executions that are before T-0, and return these.

    Stale as in `update_recipe`.
    """
    stored = stored_recipe(ports, recipe_id)
    check_version(recipe_id, stored, versions)
    record_missed_before(ports, stored, lambda: None, "its recipe was deleted")

    def remove(stored: Document | None) -> None:
        if stored is not None:
            check_version(recipe_id, stored, versions)

    list(_pause_moved(ports, {**stored, "id": recipe_id}, by=by))
    ports.recipes.change(recipe_id, remove, deed_now(ports, by, Action.DELETED))
    ports.schedules.delete(schedule_name(recipe_id))
    return cancel_before_live(ports, recipe_id, "its recipe was deleted", tests=True)


def _pause_moved(ports: Ports, document: Mapping[str, Any], *, by: str) -> Iterator[str]:
    """Pause the recipes that would still send moved sends of a recipe, and return sentences about it."""
    for copy in copies_of(ports, document, Status.ACTIVE):
        pause_recipe(ports, copy.id, by=by)
        yield f"paused recipe {copy.id}, which would have sent a moved send"


def schedule_name(recipe_id: str) -> str:
    """Return the name of a recipe's scheduler job. One recipe has one name, and so at most one schedule."""
    return f"tminus-{recipe_id}"


def wanted_job(ports: Ports, recipe: Recipe) -> ScheduledJob | None:
    """Return the scheduler job that a recipe should have now; None if it should have none."""
    cron = scheduler_cron(recipe.schedule, ports.clock.now()) if recipe.is_active else None
    if cron is None:
        return None
    return ScheduledJob(
        name=schedule_name(recipe.id),
        cron=cron,
        zone=recipe.schedule.zone.key,
        function=LAUNCH,
        body={"recipeId": recipe.id},
    )


def match_schedule(ports: Ports, recipe: Recipe) -> None:
    """Create, replace or delete the scheduler job of a recipe, as the recipe needs."""
    job = wanted_job(ports, recipe)
    if job is None:
        ports.schedules.delete(schedule_name(recipe.id))
    else:
        ports.schedules.put(job)


def renew_segments(ports: Ports, recipe_id: str, *, by: str) -> Recipe | None:
    """Give a recipe the current conditions of its segments; None if it has them, or is not there."""
    stored = ports.recipes.get(recipe_id)
    if stored is None or with_current_segments(ports, stored) == stored:
        return None

    def renew(stored: Document | None) -> Recipe:
        if stored is None:
            raise _missing(recipe_id)
        return parse(with_current_segments(ports, stored))

    return _change(ports, recipe_id, renew, deed_now(ports, by, Action.SAVED), cancel=False)


def checked(ports: Ports, document: Mapping[str, Any], default_id: str = "") -> Recipe:
    """Return the recipe of a document with the current conditions of its segments. BadRecipe if it is invalid."""
    now, document = ports.clock.now(), with_current_segments(ports, document)
    return checked_recipe(
        document,
        policy=ports.policy,
        find_job=ports.find_job,
        workspace=ports.workspace,
        now=now,
        default_id=default_id,
    )


def _with_status(recipe_id: str, status: Status, read_document: Callable[[Document], Recipe]) -> _Change:
    """Return a change that sets the status of the stored recipe and keeps concurrent changes of other fields."""

    status_fields = {"id": recipe_id, "status": status.value, "isActive": status is Status.ACTIVE}
    return _of_stored(recipe_id, lambda stored: read_document({**stored, **status_fields}))


def _of_stored(recipe_id: str, read_document: Callable[[Document], Recipe]) -> _Change:
    """Return a change that reads the stored document, which must be there."""

    def change(stored: Document | None) -> Recipe:
        if stored is None:
            raise _missing(recipe_id)
        return read_document(stored)

    return change


def _change(
    ports: Ports,
    recipe_id: str,
    change: _Change,
    deed: Deed,
    *,
    cancel: bool = True,
    underway: Underway | None = None,
) -> Recipe:
    """Store the result of `change` on the stored document, and update the schedule and the executions."""
    executions = recent_executions(ports, recipe_id, deed.at)
    now, notices, move = stamp(deed.at), tuple[str, ...](), Move()

    def write(stored: Document | None) -> Document:
        nonlocal notices, move
        changed = change(stored)
        notices, move = changed.notices, plan_move(stored, changed, executions, deed.at, underway)
        document = with_past_skips(changed.document(), stored, deed.at) | {FIRST_SEND_AT: stamp(move.first_send_at)}
        refuse_moved(ports, stored, document)
        if changed.is_active:
            refuse_restored(ports, document)
        if move.first_send_at is None:
            del document[FIRST_SEND_AT]
        if stored is None and not owner_of(document) and "@" in deed.by:  # a person, not a part of Tminus
            document["owner"] = deed.by
        created = (stored or {}).get("createdAt") or document.get("createdAt") or now
        return {**document, "createdAt": created, "updatedAt": now}

    stored = ports.recipes.get(recipe_id)
    record_missed_before(ports, stored, lambda: read(write(stored)), "its recipe was changed")
    recipe = read(ports.recipes.change(recipe_id, write, deed) or {})
    match_schedule(ports, recipe)
    cancelled, effects = list[Execution](), tuple[str, ...]()
    if recipe.is_active:
        cancelled += cancel_displaced(ports, recipe, move)
        resumed = not has_status(stored, Status.ACTIVE)
        left_off = waiting_copies(ports, recipe.document()) if resumed else ()
        notices = (*notices, *start_moved(ports, recipe, move), *left_off)
    elif cancel:
        cancelled += cancel_before_live(ports, recipe.id, f"its recipe is {recipe.status.value}")
        effects = (
            *(f"execution {each.id} is live and goes on: stop it to end it" for each in live_of(ports, recipe.id)),
            *_pause_moved(ports, recipe.document(), by=deed.by),
        )
    recipe.notices = notices  # of what was written: what is stored is plain already
    recipe.cancelled = tuple(cancelled)
    recipe.effects = (*(f"cancelled execution {each.id}: {each.reason}" for each in cancelled), *effects)
    return recipe
