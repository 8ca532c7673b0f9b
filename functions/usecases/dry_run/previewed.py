"""The result of a dry run: who would get which messages, their sizes, and the problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.domain.execution.safeguards import Severity, ViolationType


@dataclass(frozen=True, kw_only=True)
class Variation:
    """A text, and the number of messages with it; `language` is that of a translation, empty for the push's own."""

    title: str
    body: str
    deep_link: str | None
    payload_bytes: int
    messages: int
    language: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A message with the values of one user.

    `more` are its other texts, by their fields, such as `image`. `language` is that of its translation, empty for
    the push's own text.
    """

    user_id: str
    title: str
    body: str
    deep_link: str | None
    more: Mapping[str, str]
    payload_bytes: int
    language: str


@dataclass(frozen=True, kw_only=True)
class PayloadBytes:
    """The sizes of the messages, and FCM's limit."""

    smallest: int
    largest: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class PushPreview:
    """What one push would do: audienceSize = sum(excluded) + eligible, in users; `messages` counts devices.

    `languages` counts the messages by language where the push has translations; empty is the push's own text.
    """

    order: int
    audience: str
    layer: int
    due_at: datetime
    audience_size: int
    excluded: Mapping[str, int]
    without_token: int
    eligible: int
    messages: int
    different_texts: int
    variations: Sequence[Variation]
    samples: Sequence[Sample]
    payload_bytes: PayloadBytes
    languages: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class PreviewTotals:
    """What all pushes would do together: in people, each counted once, and as sums over the pushes."""

    people: int
    eligible_people: int
    audience_size: int
    eligible: int
    messages: int
    excluded: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What would block, stop or warn."""

    type: ViolationType
    severity: Severity
    message: str


@dataclass(frozen=True, kw_only=True)
class MissedTester:
    """A test user who would miss a test push: `reasons` are those of the pushes, such as no_token."""

    user_id: str
    reasons: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an execution started now would do.

    It is `valid` if no problem is critical and at least one user gets it. `missed_testers` would miss its test send.
    """

    recipe_id: str
    test: bool
    description: str
    send_at: datetime
    pushes: Sequence[PushPreview]
    totals: PreviewTotals
    estimated_seconds: float
    estimated_cost_micros: int
    problems: Sequence[Problem]
    missed_testers: Sequence[MissedTester] = ()
    valid: bool

    def without_messages(self) -> "Preview":
        """Return the same result without messages and test users: ids of users, and values of their rows."""
        pushes = [replace(push, samples=(), variations=()) for push in self.pushes]
        return replace(self, pushes=pushes, missed_testers=())
