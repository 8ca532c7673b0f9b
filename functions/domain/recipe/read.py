"""Read recipe documents, which a growth team writes in JSON and camelCase.

`parse` turns a document into a `Recipe` or names every invalid field. The document itself stays as written: unknown
keys survive a round trip at any depth.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime, time, timedelta
from typing import Any

from pydantic import ValidationError

from functions.domain.documents import FORMAT, shown, storage_errors, without_nulls
from functions.domain.errors import BadRecipe, FieldError
from functions.domain.execution.execution import Execution
from functions.domain.ids import ONE_OFF, RECIPE_ID, slug
from functions.domain.instants import instant
from functions.domain.recipe import document as fields
from functions.domain.recipe.errors import field_errors
from functions.domain.recipe.schedule import Schedule, sends_from
from functions.domain.recipe.schedule_fields import RecipeSchedule
from functions.domain.recipe.status import Status, read_status
from functions.domain.recipe.timeline import SHORTEST_PREPARATION, PushTiming

TEST_MODE_LEAD = timedelta(minutes=3)
FIRST_SEND_AT = "firstSendAt"
"""The field of a stored document with the first send of its schedule; saving writes it."""

Document = dict[str, Any]


class Recipe:
    """A valid recipe: a typed view of its document.

    `notices` are sentences about values that Tminus does not take literally, such as a status that contradicts
    `isActive`. `effects` are sentences about what saving did to running executions, and `cancelled` are the
    executions that it cancelled. `push_places` are the indexes of `pushes` in the document's list, from 0.
    """

    def __init__(
        self, document: Document, parsed: fields.RecipeDocument, status: Status, notices: tuple[str, ...]
    ) -> None:
        self._document = document
        self.id = parsed.id
        self.name = parsed.name or parsed.id
        self.status = status
        self.notices = notices
        self.effects: tuple[str, ...] = ()
        self.cancelled: tuple[Execution, ...] = ()
        self.pushes = parsed.ordered_pushes
        self.push_places = parsed.push_places
        self.criteria = parsed.audience_criteria
        self.topic = parsed.topic.strip()
        self.settings = parsed.settings
        self.written_schedule = parsed.schedule
        lead = TEST_MODE_LEAD if self.test_mode else timedelta(minutes=parsed.schedule.lead_time_minutes)
        self.schedule = schedule_of(parsed.schedule, lead)

    @property
    def is_active(self) -> bool:
        """Whether the recipe sends on schedule. Only the status decides it."""
        return self.status is Status.ACTIVE

    @property
    def test_mode(self) -> bool:
        """Whether the live phase is a dry run on the real audiences, three minutes after the start."""
        return self.criteria.test_mode

    @property
    def window(self) -> timedelta:
        """The time between the first test push and T-0 that the recipe asks for."""
        return timedelta(minutes=self.settings.cancellation_window_minutes)

    @property
    def timings(self) -> tuple[PushTiming, ...]:
        """When each push follows the previous one."""
        return tuple(
            PushTiming(delay_minutes=push.timing.delay_after_previous, at=push.timing.absolute_time)
            for push in self.pushes
        )

    @property
    def preparation(self) -> timedelta:
        """The shortest time to prepare a send: a send that is nearer is not started."""
        return min(self.schedule.lead, SHORTEST_PREPARATION)

    @property
    def first_send_at(self) -> datetime | None:
        """The first send since the schedule last changed; None if unknown, as in a recipe written by hand.

        Documents of releases without this field have the time of saving instead, from which sends could be prepared.
        """
        first = _maybe_instant(self._document.get(FIRST_SEND_AT))
        return first or _maybe_instant(self._document.get("updatedAt"), plus=self.preparation)

    def sends(self, since: datetime) -> Iterator[datetime]:
        """Yield the send instants of an active recipe at or after `since`, in order."""
        return sends_from(self.schedule, max(since, self.first_send_at or since))

    def layer_written(self, position: int) -> int:
        """Return the layer of the push at a position (from 0) as written: documents of old clients have 0 for 5."""
        written = self._document["pushSequence"][self.push_places[position]].get("layerId")
        layer = self.pushes[position].layer_id
        return 0 if written == 0 and type(written) is int else layer

    def document(self) -> Document:
        """Return the document to store and to answer: as written, with explicit id and status."""
        document = deepcopy(self._document)
        document |= {"id": self.id, "status": self.status.value, "isActive": self.is_active}
        for push in document.get("pushSequence") or []:
            if push.get("layerId") == 0:
                push["layerId"] = 5
        return document


def parse(document: object, *, default_id: str = "") -> Recipe:
    """Read a recipe document that a person wrote; BadRecipe names every field at fault.

    A document without an id gets `default_id`, else an id made of its name, always the same.

    >>> schedule = {"frequency": "daily", "timezone": "UTC", "executionTime": "17:30"}
    >>> push = {"title": "Hi [[var:first_name|there]]", "body": "New today", "layerId": 5}
    >>> recipe = parse({"name": "New arrivals", "schedule": schedule, "pushSequence": [push]})
    >>> recipe.id, str(recipe.status)
    ('new-arrivals', 'draft')
    >>> parse({"name": "New arrivals", "schedule": {**schedule, "executionTime": "17:61"}, "pushSequence": [push]})
    Traceback (most recent call last):
    ...
    functions.domain.errors.BadRecipe: schedule.executionTime: use 24-hour time HH:MM, e.g. 17:30, got "17:61"
    """
    unstorable = storage_errors(document)
    if unstorable:
        raise BadRecipe(unstorable)
    if not isinstance(document, Mapping):
        raise BadRecipe([FieldError("recipe", f"must be a JSON object, not {shown(document)}")])
    written = {name: value for name, value in document.items() if name != FORMAT}  # of a copy from the store
    recipe = read(written, default_id=default_id)
    if recipe.id == ONE_OFF:
        raise BadRecipe([FieldError("id", f"{ONE_OFF} is reserved for pushes without a recipe; choose another id")])
    return recipe


def read(document: Mapping[str, Any], *, default_id: str = "") -> Recipe:
    """Read a stored recipe document, perhaps written by hand; BadRecipe as in `parse`."""
    errors: list[FieldError] = []
    try:
        status, notices = read_status(document)
    except BadRecipe as error:
        errors += error.errors
    if FORMAT in document:
        errors.append(FieldError(FORMAT, f"{shown(document[FORMAT])}: a newer release has stored the recipe"))
    known = without_nulls(document)
    known["id"] = known.get("id") or default_id or slug(str(known.get("name") or "recipe"))
    try:
        parsed = fields.RecipeDocument.model_validate(known)
    except ValidationError as error:
        errors += field_errors(error)
    if isinstance(known["id"], str) and not RECIPE_ID.fullmatch(known["id"]):
        reason = f"must be 1 to 100 letters, digits, '-' or '_', and not __like_this__, got {shown(known['id'])}"
        errors.append(FieldError("id", reason))
    if errors:
        raise BadRecipe(errors)
    return Recipe(dict(document), parsed, status, (*notices, *parsed.notices))


def _maybe_instant(written: object, plus: timedelta = timedelta()) -> datetime | None:
    try:
        return instant(written) + plus if isinstance(written, str) else None
    except (ValueError, OverflowError):
        return None


def schedule_of(written: RecipeSchedule, lead: timedelta) -> Schedule:
    """Return the rule that yields the sends of a document's schedule, each of which starts `lead` before."""
    optional: dict[str, Any] = {
        "start_date": written.start_day,
        "end_date": written.end_day,
        "days_of_week": frozenset(written.days_of_week) or None,
        "day_of_month": written.day_of_month,
        "cron": written.cron,
        "skip": frozenset(written.skip),
    }
    return Schedule(
        zone=written.zone,
        frequency=written.frequency,
        send_time=written.execution_time or time(0, 0),
        lead=lead,
        **{name: value for name, value in optional.items() if value is not None},
    )
