"""A push of the sequence, field by field: what it says, what it carries, who gets it, and when."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

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
    AppText,
    BlankIsMissing,
    Clock,
    DeepLink,
    Fields,
    KeptFlag,
    Layer,
    Text,
    Widget,
)
from functions.domain.recipe.translations import Translations, lookup

_MOST_DATA = 20
MOST_TTL_MINUTES = 28 * 24 * 60
"""FCM keeps a message for four weeks at most."""
_RESERVED = {"from", "message_type", "aps", LINK_KEY}
_RESERVED_BEGINNINGS = ("google", "gcm")
"""Keys of FCM and APNs: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages."""
CONTENT = (
    *("image", "buttons", "data", "priority", "ttlMinutes", "android", "ios", "web"),
    *("translations", "requireLocales"),
)
"""The fields of a push besides its texts, its link and its place in the sequence."""


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


class PushTiming(Fields):
    """When a push follows the one before it."""

    delay_after_previous: int = Field(default=0, ge=0, le=MOST_MINUTES, title="Minutes after previous push")
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
        title="Link",
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
    data: Annotated[dict[str, AppText], AfterValidator(_sendable)] = Field(
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
    translations: Translations = Field(
        default_factory=dict,
        title="Translations",
        description="Texts by language. Each person gets the language of people.locale, else the texts above.",
        examples=[{"de": {"title": "Dein nächstes Training wartet", "body": "Tippe, um es zu sehen"}}],
    )
    require_locales: bool | None = Field(
        default=None,
        title="Require translations",
        description="Blocks the send if a person's locale has no translation.",
    )
    layer_id: Annotated[Layer, Widget.LAYER] = Field(title="Layer", examples=[1])
    audience_name: str = Field(
        default="", title="Audience", description="If empty: the job's audience at the position of the push."
    )
    timing: PushTiming = PushTiming()

    @property
    def texts(self) -> dict[str, Template]:
        """The templates of the push by the paths of their fields, in all languages."""
        texts = self.own_texts
        for tag in self.translations:
            texts |= {f"translations.{tag}.{path}": text for path, text in self._translated(tag).items()}
        return texts

    @property
    def own_texts(self) -> dict[str, Template]:
        """The templates of the push by the paths of their fields, without translations."""
        texts = {"title": self.title, "body": self.body, "deepLink": self.deep_link, **self._others}
        return {name: text for name, text in texts.items() if text is not None}

    @property
    def asks_locales(self) -> bool:
        """Whether it matters in which language people read."""
        return bool(self.translations or self.require_locales)

    def translation_for(self, locale: str) -> str:
        """Return the language in `translations` that a person with this locale gets; empty for the push's own."""
        return lookup(locale, self.translations)

    def in_language(self, tag: str) -> "RecipePush":
        """Return the push with the texts of one of its translations; with its own for an empty tag."""
        if not tag:
            return self
        return self.model_copy(update={**self.translations[tag].given, "translations": {}})

    @property
    def more_texts(self) -> dict[str, Template]:
        """The templates that differ between users besides title, body and deep link, by the paths of their fields."""
        return {name: text for name, text in self._others.items() if text is not None and text.columns}

    def other_texts(self, values: Sequence[str]) -> dict[str, str]:
        """Return all texts besides title, body and deep link, given the values of `more_texts`."""
        given = dict(zip(self.more_texts, values, strict=True))
        others = {name: text for name, text in self._others.items() if text is not None}
        return {name: given.get(name, text.source) for name, text in others.items()}

    def _translated(self, tag: str) -> dict[str, Template]:
        """Return the texts that a translation replaces."""
        given, texts = self.translations[tag].given, self.in_language(tag).own_texts
        return {path: text for path, text in texts.items() if path.partition("[")[0] in given}

    @property
    def shows_in_browsers(self) -> bool:
        """Whether the push has anything that only browsers show."""
        return bool(self.buttons) or self.web != WebContent()

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
