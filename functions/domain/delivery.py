"""What happens to each row of an audience: one byte a row, and sums that always add up."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

PAYLOAD_LIMIT_BYTES = 4_096
"""FCM limits a message's payload: firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type."""


class Exclusion(StrEnum):
    """Why a user of an audience gets no message; the same words in every report."""

    INVALID_USER_ID = "invalid_user_id"
    DUPLICATE_USER_ID = "duplicate_user_id"
    OPTED_OUT = "opted_out"
    NO_TOKEN = "no_token"
    DEAD_TOKEN = "dead_token"
    MISSING_VARIABLE = "missing_variable"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    LAYER_3_COOLDOWN = "layer_3_cooldown"
    LAYER_5_COOLDOWN = "layer_5_cooldown"
    COMBINED_L2_L3_LIMIT = "combined_l2_l3_limit"


class Outcome(Enum):
    """What the sender says of one message, and so what to do next."""

    SENT = "sent"
    DEAD_TOKEN = "dead_token"
    """The device is gone: failed, and its token is never sent to again."""
    BAD_MESSAGE = "bad_message"
    """FCM will never take this message: failed."""
    NOT_SENT = "not_sent"
    """The request did not leave, or was refused for now: the row is still to be sent."""
    UNKNOWN = "unknown"
    """The request left and no answer says what became of it: not sent again."""
    MISCONFIGURED = "misconfigured"
    """Credentials or project are wrong: failed, as every other message will."""


NOT_REACHED = ord(".")
INTENT = ord("I")
SENT = ord("S")
FAILED = ord("F")
UNKNOWN = ord("U")
LOST = ord("L")
"""An INTENT that no RESULT followed, because its worker died: as unknown as the others, but no failure of FCM's."""
EXCLUDED: Mapping[Exclusion, int] = {reason: ord("a") + index for index, reason in enumerate(Exclusion)}
"""The byte of each reason. Bytes are stored: add reasons at the end of Exclusion only."""

ROW_CODE: Mapping[Outcome, int] = {
    Outcome.SENT: SENT,
    Outcome.DEAD_TOKEN: FAILED,
    Outcome.BAD_MESSAGE: FAILED,
    Outcome.MISCONFIGURED: FAILED,
    Outcome.UNKNOWN: UNKNOWN,
    Outcome.NOT_SENT: NOT_REACHED,
}
_WEIGHT = {code: weight for weight, code in enumerate((NOT_REACHED, FAILED, UNKNOWN, SENT))}


def row_code(outcomes: Iterable[Outcome]) -> int:
    """Return the byte of a user with several devices: sent if any was, else unknown if any is, else failed."""
    return max((ROW_CODE[outcome] for outcome in outcomes), key=_WEIGHT.__getitem__)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Users of an audience by what became of them; the parts always sum to `audience_size`.

    `lost` are those of the unknown whose worker died.
    """

    audience_size: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    lost: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def not_reached(self) -> int:
        """Users whose turn never came."""
        return self.audience_size - self.sent - self.failed - self.unknown - sum(self.excluded.values())

    @property
    def attempted(self) -> int:
        """Users for whom a request was made."""
        return self.sent + self.failed + self.unknown

    def __add__(self, other: "Tally") -> "Tally":
        """Add two tallies, reason by reason."""
        return Tally(
            audience_size=self.audience_size + other.audience_size,
            sent=self.sent + other.sent,
            failed=self.failed + other.failed,
            unknown=self.unknown + other.unknown,
            lost=self.lost + other.lost,
            excluded=dict(Counter(self.excluded) + Counter(other.excluded)),
        )


def tally(outcomes: bytes) -> Tally:
    """Count the row bytes of a shard; an INTENT without its RESULT is unknown."""
    lost = outcomes.count(LOST) + outcomes.count(INTENT)
    excluded = {reason.value: outcomes.count(code) for reason, code in EXCLUDED.items()}
    return Tally(
        audience_size=len(outcomes),
        sent=outcomes.count(SENT),
        failed=outcomes.count(FAILED),
        unknown=outcomes.count(UNKNOWN) + lost,
        lost=lost,
        excluded={reason: count for reason, count in excluded.items() if count},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One push to one device, rendered."""

    user_id: str
    token: str
    title: str
    body: str
    deep_link: str | None


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What all messages of one push of one execution have in common."""

    execution_id: str
    recipe_id: str
    push: int
    test: bool
    dry_run: bool

    @property
    def collapse_key(self) -> str:
        """The tag by which a device replaces a message of the same push rather than show it twice."""
        return f"{self.execution_id}/{self.push}"


def payload_bytes(title: str, body: str, deep_link: str | None) -> int:
    """Return the size of a message's notification and data as FCM counts it, in UTF-8 bytes of JSON."""
    payload: dict[str, object] = {"notification": {"title": title, "body": body}}
    if deep_link is not None:
        payload["data"] = {"deepLink": deep_link}
    return len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
