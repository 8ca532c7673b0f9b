"""What a push carries besides its texts: buttons, and what only Android, iOS or browsers show."""

import re
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from functions.domain.recipe.field_types import BlankIsMissing, DeepLink, Fields, ImageUrl, Text

MOST_BUTTONS = 3
"""Android shows no more: developer.android.com/develop/ui/views/notifications#Actions."""
_LONGEST_NAME = 200
_BUTTON_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class Priority(StrEnum):
    """How soon a phone that sleeps shows the push: at once, or when it next wakes up."""

    HIGH = "high"
    NORMAL = "normal"


class InterruptionLevel(StrEnum):
    """How much an iPhone may interrupt: developer.apple.com/documentation/usernotifications."""

    PASSIVE = "passive"
    ACTIVE = "active"
    TIME_SENSITIVE = "time-sensitive"


def _name(text: str) -> str:
    if "[[var:" in text:
        raise ValueError("holds a variable, but all users get the same: write the name itself")
    if not text.isprintable() or not text.strip() or len(text) > _LONGEST_NAME:
        raise ValueError(f"must be a name of 1 to {_LONGEST_NAME} printable characters")
    return text


def _matching(form: re.Pattern[str], words: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(words)
        return text

    return check


Name = Annotated[str, AfterValidator(_name)]
OptionalName = Annotated[Name | None, BlankIsMissing]
_ButtonId = Annotated[str, AfterValidator(_matching(_BUTTON_ID, "must be 1 to 40 letters, digits, '-' and '_'"))]
_Color = Annotated[str, AfterValidator(_matching(_COLOR, "must be a color such as #FF6600"))]
Image = Annotated[ImageUrl | None, BlankIsMissing]


class PushButton(Fields):
    """A button below the text."""

    id: _ButtonId = Field(title="ID", description="What the app is told when a user taps it.", examples=["book"])
    title: Text = Field(title="Title", examples=["Book a place"])
    deep_link: Annotated[DeepLink | None, BlankIsMissing] = Field(
        default=None, title="Link", description="What a tap opens; without one, the push's own link."
    )


def sound_buttons(buttons: tuple[PushButton, ...]) -> tuple[PushButton, ...]:
    """Return buttons that phones can show; ValueError for too many, or for an id that is there twice."""
    if len(buttons) > MOST_BUTTONS:
        raise ValueError(f"must hold at most {MOST_BUTTONS} buttons, not {len(buttons)}")
    repeated = [each for each, times in Counter(button.id for button in buttons).items() if times > 1]
    if repeated:
        raise ValueError(f"holds the id {repeated[0]!r} twice: give each button its own")
    return buttons


class AndroidContent(Fields):
    """What only Android shows: AndroidNotification in firebase.google.com/docs/reference/fcm/rest/v1."""

    channel_id: OptionalName = Field(
        default=None,
        title="Android channel",
        description="One of the app's channels. Android puts an unknown one into its default channel.",
        examples=["news"],
    )
    sound: OptionalName = Field(
        default=None, title="Android sound", description="The name of a sound in the app, or default."
    )
    color: Annotated[_Color | None, BlankIsMissing] = Field(
        default=None, title="Android color", description="The color of the icon, as #RRGGBB.", examples=["#FF6600"]
    )
    icon: OptionalName = Field(default=None, title="Android icon", description="The name of a drawable in the app.")
    count: int | None = Field(
        default=None, ge=0, le=999_999, title="Android badge", description="The number on the app's icon."
    )


class IosContent(Fields):
    """What only iPhones show: the payload keys of developer.apple.com/documentation/usernotifications."""

    subtitle: Annotated[Text | None, BlankIsMissing] = Field(
        default=None, title="iOS subtitle", description="A line below the title; variables as in the title."
    )
    category: OptionalName = Field(
        default=None, title="iOS category", description="A category of the app, which has the buttons for iOS."
    )
    sound: OptionalName = Field(
        default=None, title="iOS sound", description="The name of a sound in the app, or default."
    )
    badge: int | None = Field(
        default=None, ge=0, le=999_999, title="iOS badge", description="The number on the app's icon; 0 removes it."
    )
    thread_id: OptionalName = Field(
        default=None, title="iOS thread", description="Pushes of one thread are shown as one group."
    )
    interruption_level: Annotated[InterruptionLevel | None, Field(strict=False), BlankIsMissing] = Field(
        default=None,
        title="iOS interruption level",
        description="Only pushes of layer 1 may be time-sensitive.",
    )
    relevance_score: float | None = Field(
        default=None, ge=0, le=1, title="iOS relevance", description="From 0 to 1, for the order in the summary."
    )


class WebContent(Fields):
    """What only browsers show: developer.mozilla.org/docs/Web/API/Notification."""

    icon: Image = Field(default=None, title="Web icon", description="The https address of an image.")
    badge: Image = Field(default=None, title="Web badge", description="The https address of a small image.")
    require_interaction: bool | None = Field(
        default=None, title="Web", description="Stays until the user closes or taps it."
    )
