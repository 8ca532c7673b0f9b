"""The recipe document, field by field: the parser, the API's schema, the console's form and error paths read it here.

`field_types.Fields` explains what each field says. Fields are in the order of the form.
"""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from functions.domain.ids import RECIPE_ID
from functions.domain.recipe.errors import at
from functions.domain.recipe.field_types import (
    MOST_MINUTES,
    Fields,
    FilledTexts,
    Instant,
    KeptFlag,
    KeptObject,
    KeptText,
    KeptTexts,
    Texts,
    Widget,
)
from functions.domain.recipe.push_fields import RecipePush
from functions.domain.recipe.schedule import Frequency
from functions.domain.recipe.schedule_fields import RecipeSchedule
from functions.domain.recipe.status import OLD_WORDS, Status

QUERY_FIELDS = ("filters", "dataPacks", "manualUserIds", "customQuery", "where", "with")
"""The fields of `audienceCriteria` that ask for users. A workspace may have filters of old recipes beside them."""
_STATUS = WithJsonSchema({"type": "string", "enum": [*Status, *OLD_WORDS, ""]})


MOST_TAGS, LONGEST_TAG, LONGEST_OWNER = 10, 40, 254
_TAG = {"type": "string", "maxLength": LONGEST_TAG}
_TAGS = WithJsonSchema({"type": "array", "items": _TAG, "maxItems": MOST_TAGS})
_OWNER = WithJsonSchema({"type": "string", "maxLength": LONGEST_OWNER})


class RecipeType(StrEnum):
    """The kind of campaign. Reports show it, and nothing else reads it."""

    SINGLE_PUSH = "single_push"
    SEQUENCE = "sequence"
    RECURRING = "recurring"
    SCRIPT_BASED = "script_based"
    TRIGGERED = "triggered"


class OnUnknown(StrEnum):
    """What to do with a message that may have arrived; a second one replaces the first on the device."""

    KEEP = "keep"
    RESEND = "resend"


class CustomScript(Fields):
    """An audience job and its parameters: see GET /api/scripts."""

    script_id: Annotated[str, Widget.JOB] = Field(default="", title="Audience job")
    parameters: dict[str, Any] = Field(
        default_factory=dict, title="Parameters of the job", examples=[{"lookback_hours": 48}]
    )


def _without_others(schema: dict[str, Any]) -> None:
    del schema["additionalProperties"]


class AudienceCriteria(Fields):
    """Who gets the pushes: the audiences of a job (`customScript`), or users who fit all the other fields."""

    # Keys of other names may be filters in old recipes: the workspace knows their names.
    model_config = ConfigDict(extra="allow", json_schema_extra=_without_others)

    custom_script: CustomScript = CustomScript()
    # `audience_jobs/criteria.py` reads the query, where the audience is made: old documents load whatever they hold.
    filters: Any = None
    data_packs: Any = None
    manual_user_ids: Any = None
    custom_query: Any = None
    where: Any = None
    with_: Any = Field(default=None, alias="with")
    test_mode: bool = Field(
        default=False,
        title="Test mode",
        description="Starts preparing three minutes before, and sends nothing live.",
    )

    @property
    def job_id(self) -> str:
        """The audience job that builds the audiences; empty if the recipe names none."""
        return self.custom_script.script_id.strip()

    @property
    def query(self) -> dict[str, Any]:
        """All other fields, by their names in documents: the criteria of a query-based audience, or unknown keys."""
        written = self.model_dump(by_alias=True, exclude={"custom_script", "test_mode"})
        return {name: value for name, value in written.items() if value is not None}


class AlertThresholds(Fields):
    """The audience size that alerts, and the share of failures that stops an execution."""

    audience_size: int | None = Field(default=None, ge=0, title="Warn above", description="In users of one audience.")
    failure_rate: float = Field(
        default=0.1,
        ge=0,
        le=1,
        title="Failure rate that stops the send",
        description="A share from 0 to 1.",
    )


class RecipeSafeguards(Fields):
    """What blocks or stops a send."""

    max_audience_size: int = Field(
        default=10_000, ge=0, title="Largest audience", description="A larger one blocks the send."
    )
    alert_thresholds: AlertThresholds = AlertThresholds()
    emergency_contacts: Texts = Field(default=(), title="Emergency contacts")
    require_test_first: bool = Field(
        default=True, title="Test first", description="Sends live only if the test send succeeded."
    )
    require_images: bool = Field(
        default=False,
        title="Images first",
        description="Blocks the send if an image does not load when the audience is built. Otherwise it only alerts.",
    )


class RecipeSettings(Fields):
    """How the recipe is sent."""

    cancellation_window_minutes: int = Field(
        default=25,
        ge=0,
        le=MOST_MINUTES,
        title="Time to cancel (minutes)",
        description="From the first test push to the send time.",
    )
    max_lateness_minutes: int = Field(
        default=15,
        ge=0,
        le=MOST_MINUTES,
        title="Latest start (minutes late)",
        description="A send that would start later expires.",
    )
    on_unknown: Annotated[OnUnknown, Field(strict=False)] = Field(
        default=OnUnknown.KEEP,
        title="If delivery is unknown",
        description="What to do with a message that may have arrived. A second one replaces the first on the device.",
    )
    test_user_ids: FilledTexts = Field(
        default=(), title="Test users", description="Ids of users. If empty: the deployment's test users."
    )
    alert_channels: KeptTexts = Field(
        default=None,
        title="Alert channels",
        description="Names from ALERT_CHANNELS of the deployment.",
    )
    safeguards: RecipeSafeguards = RecipeSafeguards()
    emergency_stop_enabled: KeptFlag = Field(default=None, description="From old recipes; nothing reads it.")
    dry_run_first: KeptFlag = Field(default=None, description="From old recipes; nothing reads it.")


class RecipeDocument(Fields):
    """A recipe. Unknown fields are kept; null stands for a missing field.

    In what a push carries, null also leaves out the workspace's default.
    """

    name: str = Field(default="", title="Name")
    id: str = Field(
        default="",
        title="ID",
        description="Made from the name if it is missing.",
        examples=["new-user-welcome"],
        json_schema_extra={"pattern": f"^{RECIPE_ID.pattern}$|^$"},
    )
    status: Annotated[Any, _STATUS] = Field(
        default=None, title="Status", description="Nothing is sent unless this is active."
    )
    is_active: KeptFlag = Field(default=None, description="An old way to say status; false pauses.")
    description: Annotated[KeptText, Widget.AREA] = Field(default=None, title="Description")
    tags: Annotated[KeptTexts, _TAGS] = Field(
        default=None,
        title="Tags",
        description=f"Short labels to find it by, at most {MOST_TAGS}.",
        examples=[["spring"]],
    )
    owner: Annotated[KeptText, _OWNER] = Field(
        default=None, title="Owner", description="Who looks after it. If empty: the person who creates it."
    )
    type: Annotated[RecipeType, Field(strict=False)] = Field(
        default=RecipeType.SEQUENCE,
        title="Type",
        description="For reports only: it changes nothing about the sends.",
    )
    schedule: RecipeSchedule = Field(title="Schedule")
    audience_criteria: AudienceCriteria = AudienceCriteria()
    push_sequence: tuple[RecipePush, ...] = Field(min_length=1, strict=False, title="Pushes")
    topic: Annotated[str, Widget.TOPIC] = Field(
        default="",
        title="Topic",
        description="What the pushes are about. Users who opted out of it get none.",
        examples=["news"],
    )
    settings: RecipeSettings = RecipeSettings()
    metadata: KeptObject = Field(default=None, description="The team's own; Tminus reads nothing in it.")
    template: KeptText = Field(default=None, description="The template from which the recipe was made.")

    @property
    def ordered_pushes(self) -> tuple[RecipePush, ...]:
        """The pushes in order of `sequenceOrder`. A push without one keeps its place in the list."""
        return tuple(self.push_sequence[place] for place in self.push_places)

    @property
    def push_places(self) -> tuple[int, ...]:
        """The index in the document's list of each of `ordered_pushes`, from 0."""
        numbered = enumerate(self.push_sequence, start=1)
        return tuple(position - 1 for position, _ in sorted(numbered, key=_order))

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about fields that are present but not used."""
        first = self.ordered_pushes[0].timing
        send_time = self.schedule.execution_time
        found = []
        if first.delay_after_previous or first.absolute_time not in (None, send_time):
            found.append("the first push's timing is not used: it goes out at schedule.executionTime")
        if self.schedule.cron_expression and self.schedule.frequency is not Frequency.CUSTOM:
            found.append("schedule.cronExpression is not used: only frequency custom reads it")
        unused = [f"audienceCriteria.{name}" for name, value in self.audience_criteria.query.items() if value]
        if self.audience_criteria.job_id and unused:
            found.append(f"{', '.join(unused)}: not used, because customScript builds the audiences")
        return tuple(found)

    @model_validator(mode="after")
    def _orders_differ(self) -> "RecipeDocument":
        orders = Counter(push.sequence_order for push in self.push_sequence)
        for position, push in enumerate(self.push_sequence):
            if push.sequence_order is not None and orders[push.sequence_order] > 1:
                raise at(f"pushSequence[{position}].sequenceOrder", f"{push.sequence_order} is there twice")
        return self


class SoundRecipe(RecipeDocument):
    """A recipe with the fields of a recipe document, and those that Tminus adds."""

    id: str
    status: str
    is_active: bool
    first_send_at: Instant | None = Field(
        default=None, description="The first send since the schedule last changed; saving writes it."
    )
    next_send_at: Instant | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    problem: str = Field(default="", description="Why the recipe cannot run.")


def _order(numbered: tuple[int, RecipePush]) -> int:
    position, push = numbered
    return position if push.sequence_order is None else push.sequence_order
