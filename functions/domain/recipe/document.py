"""The recipe document, field by field: the parser, the API's schema, the console's form and error paths read it here.

`field_types.Fields` explains what each field says. Fields are in the order of the form.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from functions.domain.ids import RECIPE_ID
from functions.domain.push.links import LINK_KEY
from functions.domain.push.template import Template
from functions.domain.recipe.content_fields import (
    MOST_BUTTONS,
    AndroidContent,
    Image,
    InterruptionLevel,
    IosContent,
    Priority,
    PushButton,
    WebContent,
    sound_buttons,
)
from functions.domain.recipe.errors import at
from functions.domain.recipe.field_types import (
    MOST_MINUTES,
    BlankIsMissing,
    Clock,
    DeepLink,
    Fields,
    FilledTexts,
    Instant,
    KeptFlag,
    KeptObject,
    KeptText,
    KeptTexts,
    Layer,
    Text,
    Texts,
    Widget,
)
from functions.domain.recipe.schedule import Frequency
from functions.domain.recipe.schedule_fields import RecipeSchedule
from functions.domain.recipe.status import OLD_WORDS, Status

_MOST_DATA = 20
MOST_TTL_MINUTES = 28 * 24 * 60
"""FCM keeps a message for four weeks at most."""
_RESERVED = {"from", "message_type", "aps", LINK_KEY}
_RESERVED_BEGINNINGS = ("google", "gcm")
"""Keys of FCM and APNs: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages."""
QUERY_FIELDS = ("filters", "dataPacks", "manualUserIds", "customQuery", "where", "with")
"""The fields of `audienceCriteria` that ask for users. A workspace may have filters of old recipes beside them."""
_STATUS = WithJsonSchema({"type": "string", "enum": [*Status, *OLD_WORDS, ""]})


def _sendable(data: dict[str, Template]) -> dict[str, Template]:
    """Return data that FCM accepts; ValueError names the invalid key."""
    if len(data) > _MOST_DATA:
        raise ValueError(f"must hold at most {_MOST_DATA} entries, not {len(data)}")
    for key in data:
        if not key.strip():
            raise ValueError("must not hold a blank key")
        if key in _RESERVED or key.startswith(_RESERVED_BEGINNINGS):
            raise at(key, "is a key that FCM, Apple or Tminus uses: choose another one")
    return data


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


CONTENT = ("image", "buttons", "data", "priority", "ttlMinutes", "android", "ios", "web")
"""The fields of a push besides its texts, its link and its place in the sequence."""


class PushTiming(Fields):
    """When a push follows the one before it."""

    delay_after_previous: int = Field(default=0, ge=0, le=MOST_MINUTES, title="Minutes after the previous push")
    absolute_time: Annotated[Clock | None, BlankIsMissing] = Field(
        default=None,
        title="Time",
        description="Instead of the minutes: the push goes out at the next HH:MM in the recipe's time zone.",
        examples=["18:30"],
    )


class RecipePush(Fields):
    """A push of the sequence. Texts may have variables, as in `[[var:first_name|there]]`."""

    sequence_order: int | None = Field(
        default=None, description="The position in the sequence. Pushes without one keep their place in the list."
    )
    title: Text = Field(
        title="Title",
        description="Each user's values replace [[var:column]] and [[var:column|fallback]].",
        examples=["Your next workout waits"],
    )
    body: Annotated[Text, Widget.AREA] = Field(title="Body", examples=["Tap to see them"])
    deep_link: Annotated[DeepLink | None, BlankIsMissing] = Field(
        default=None,
        title="Deep link",
        description="What a tap opens. Values of variables are percent-encoded.",
        examples=["https://example.com/find?q=[[var:city]]"],
    )
    literal_text: KeptFlag = Field(
        default=None,
        title="Literal text",
        description="Text such as {name} or %name% is sent literally.",
    )
    image: Image = Field(
        default=None,
        title="Image",
        description="The https address of a JPEG or PNG of at most 1 MB. Values of variables are percent-encoded.",
        examples=["https://img.example.com/[[var:city]].jpg"],
    )
    buttons: Annotated[tuple[PushButton, ...], AfterValidator(sound_buttons), Widget.OBJECTS] = Field(
        default=(),
        strict=False,
        title="Buttons",
        description="At most 3. iOS shows those of ios.category; Android and browsers get these.",
        examples=[[{"id": "book", "title": "Book a place", "deepLink": "https://example.com/book"}]],
        json_schema_extra={"maxItems": MOST_BUTTONS},
    )
    data: Annotated[dict[str, Text], AfterValidator(_sendable)] = Field(
        default_factory=dict,
        title="Data",
        description="Keys and texts for the app. Texts may have variables.",
        examples=[{"campaign": "spring"}],
        json_schema_extra={"maxProperties": _MOST_DATA},
    )
    priority: Annotated[Priority, Field(strict=False)] = Field(
        default=Priority.HIGH,
        title="Priority",
        description="Whether it wakes a phone that sleeps (high), or waits until the phone wakes up (normal).",
    )
    ttl_minutes: int | None = Field(
        default=None,
        ge=0,
        le=MOST_TTL_MINUTES,
        title="Time to live (minutes)",
        description="How long FCM keeps it for a phone that is off. If empty: PUSH_TTL_MINUTES of the deployment.",
    )
    android: AndroidContent = AndroidContent()
    ios: IosContent = IosContent()
    web: WebContent = WebContent()
    layer_id: Annotated[Layer, Widget.LAYER] = Field(title="Layer", examples=[1])
    audience_name: str = Field(
        default="", title="Audience", description="If empty: the job's audience at the position of the push."
    )
    timing: PushTiming = PushTiming()

    @property
    def texts(self) -> dict[str, Template]:
        """The templates of the push by the paths of their fields."""
        texts = {"title": self.title, "body": self.body, "deepLink": self.deep_link, **self._others}
        return {name: text for name, text in texts.items() if text is not None}

    @property
    def more_texts(self) -> dict[str, Template]:
        """The templates that differ between users besides title, body and deep link, by the paths of their fields."""
        return {name: text for name, text in self._others.items() if text is not None and text.columns}

    def other_texts(self, values: Sequence[str]) -> dict[str, str]:
        """Return all texts besides title, body and deep link, given the values of `more_texts`."""
        given = dict(zip(self.more_texts, values, strict=True))
        others = {name: text for name, text in self._others.items() if text is not None}
        return {name: given.get(name, text.source) for name, text in others.items()}

    @property
    def _others(self) -> dict[str, Template | None]:
        others: dict[str, Template | None] = {"image": self.image}
        for place, button in enumerate(self.buttons):
            others |= {f"buttons[{place}].title": button.title, f"buttons[{place}].deepLink": button.deep_link}
        others |= {f"data.{key}": text for key, text in self.data.items()}
        return others | {"ios.subtitle": self.ios.subtitle, "web.icon": self.web.icon, "web.badge": self.web.badge}

    @model_validator(mode="after")
    def _interrupts_rarely(self) -> "RecipePush":
        if self.ios.interruption_level is InterruptionLevel.TIME_SENSITIVE and self.layer_id != 1:
            raise at(
                "ios.interruptionLevel", f"time-sensitive is for layer 1 only, and this push is of {self.layer_id}"
            )
        return self


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
    """A recipe. Unknown fields are kept; null stands for a missing field."""

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
