"""Outcomes of the rows of an audience: one byte per row, and sums that always add up."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Literal, NamedTuple

from functions.domain.recipe.push_fields import RecipePush

_LONGEST_LABEL = 50
_PLAIN = RecipePush.model_validate({"title": "", "body": "", "layerId": 1})


class Exclusion(StrEnum):
    """Why a user of an audience gets no message. Every report uses these words."""

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
    BAD_LINK = "bad_link"
    """With the row's values the link is not allowed, or leaves the path of its template."""


class Outcome(Enum):
    """The sender's result for one message, which decides what to do next."""

    SENT = "sent"
    DEAD_TOKEN = "dead_token"
    """The device is gone: failed, and nothing is sent to its token again."""
    BAD_MESSAGE = "bad_message"
    """FCM will never accept this message: failed."""
    NOT_SENT = "not_sent"
    """The request did not leave, or was refused for now: the row still has to be sent."""
    UNKNOWN = "unknown"
    """The request left, but no answer says whether it was delivered: not sent again."""
    MISCONFIGURED = "misconfigured"
    """Credentials or project are wrong: failed, as every other message would."""
    WRONG_PROJECT = "wrong_project"
    """The token belongs to another Firebase project than the sender's: failed. Either the token is a stray one, or
    the sender has the wrong project: `safeguards.misconfigured` decides by the other outcomes."""
    THIRD_PARTY_AUTH = "third_party_auth"
    """FCM has no valid key for the token's push service, Apple's or a browser's: failed.
    `safeguards.misconfigured` decides whether the token or the key is wrong."""


NOT_REACHED = ord(".")
INTENT = ord("I")
SENT = ord("S")
FAILED = ord("F")
UNKNOWN = ord("U")
LOST = ord("L")
"""An INTENT without a RESULT, because its worker died: unknown like the others, but not a failure of FCM."""
INTENT_AGAIN, UNKNOWN_AGAIN, LOST_AGAIN = ord("J"), ord("V"), ord("M")
"""The same for a row with an unknown outcome that `onUnknown: resend` sends a second and last time."""
WRONG_PROJECT, THIRD_PARTY_AUTH = ord("P"), ord("T")
"""Failed with the `Outcome` of the same name: counted as failed, and named in the receipt."""
FAILURES = frozenset({FAILED, WRONG_PROJECT, THIRD_PARTY_AUTH})
IN_DOUBT = frozenset({UNKNOWN, LOST})
"""The outcomes that `onUnknown: resend` sends again."""
EXCLUDED: Mapping[Exclusion, int] = {reason: ord("a") + index for index, reason in enumerate(Exclusion)}
"""The byte of each reason. Bytes are stored: add new reasons at the end of Exclusion only."""
Word = Literal["sent", "failed", "unknown", "excluded", "not_reached"]
"""The outcome of a row, in one word."""
OTHER = "other"
"""The reason shown for exclusions that only a newer release knows."""
RuleBytes = Mapping[int, str]
"""The reasons of cadence rules by their bytes in one execution; see `rule_bytes`."""
NO_RULES: RuleBytes = {}

ROW_CODE: Mapping[Outcome, int] = {
    Outcome.SENT: SENT,
    Outcome.DEAD_TOKEN: FAILED,
    Outcome.BAD_MESSAGE: FAILED,
    Outcome.MISCONFIGURED: FAILED,
    Outcome.WRONG_PROJECT: WRONG_PROJECT,
    Outcome.THIRD_PARTY_AUTH: THIRD_PARTY_AUTH,
    Outcome.UNKNOWN: UNKNOWN,
    Outcome.NOT_SENT: NOT_REACHED,
}
_WORDS: dict[int, tuple[Word, str]] = {code: ("excluded", reason.value) for reason, code in EXCLUDED.items()}
_WORDS |= {NOT_REACHED: ("not_reached", ""), SENT: ("sent", ""), FAILED: ("failed", "")}
_WORDS |= {code: ("failed", outcome.value) for outcome, code in ROW_CODE.items() if code in FAILURES - {FAILED}}
_WORDS |= dict.fromkeys((UNKNOWN, UNKNOWN_AGAIN), ("unknown", "no_answer"))
_WORDS |= dict.fromkeys((LOST, LOST_AGAIN), ("unknown", "interrupted"))
_WORDS |= dict.fromkeys((INTENT, INTENT_AGAIN), ("unknown", "under_way"))
_KNOWN = bytes(_WORDS)
_SETTLED = bytes.maketrans(bytes([INTENT, INTENT_AGAIN]), bytes([LOST, LOST_AGAIN]))
_ANSWERED = bytes.maketrans(bytes([INTENT, INTENT_AGAIN]), bytes([NOT_REACHED, LOST]))
_BY_WEIGHT = (NOT_REACHED, FAILED, WRONG_PROJECT, THIRD_PARTY_AUTH, UNKNOWN, SENT)
_WEIGHT = {code: weight for weight, code in enumerate(_BY_WEIGHT)}


def has_opted_out(device: Sequence[str]) -> bool:
    """Return whether a row of a file of devices says that its user wants no pushes."""
    return not device[1] and device[2] == Exclusion.OPTED_OUT.value


def row_code(outcomes: Sequence[Outcome]) -> int:
    """Return the byte of a user with several devices: sent if any is, else unknown if any is, else failed."""
    if len(outcomes) == 1:
        return ROW_CODE[outcomes[0]]
    return max((ROW_CODE[outcome] for outcome in outcomes), key=_WEIGHT.__getitem__)


def word(code: int, rules: RuleBytes) -> tuple[Word, str]:
    """Return the outcome in a row's byte, and the reason if the row is excluded or unknown.

    `rules` are the bytes of the execution's cadence rules. Among the bytes of a newer release, lower-case letters are
    exclusions. Any other byte may have been sent.
    """
    return _WORDS.get(code) or (("excluded", rules.get(code, OTHER)) if chr(code).islower() else ("unknown", ""))


def unknown_words(tally: "Tally", *, resend: bool) -> str | None:
    """Say why outcomes are unknown, and what `settings.onUnknown` does about it; None if none is unknown."""
    if not tally.unknown:
        return None
    silent = tally.unknown - tally.lost
    why = [f"{tally.lost:,} because a worker ended between a request and its answer"] if tally.lost else []
    why += [f"{silent:,} because FCM did not answer"] if silent else []
    does = (
        "each was sent a second time at most (settings.onUnknown is resend), which replaces the first on the phone"
        if resend
        else "each may have arrived, and none is sent again (settings.onUnknown is keep); with resend each would be "
        "sent a second time, which replaces the first on the phone"
    )
    return f"unknown outcomes: {', '.join(why)}; {does}"


def intent(before: int) -> int:
    """Return the INTENT byte of a row, given its previous byte."""
    return INTENT_AGAIN if before in IN_DOUBT else INTENT


def result(before: int, code: int) -> int:
    """Return the byte of a row whose request ended in `code`. A second request that never left changes nothing.

    If the second request failed, the first may still have arrived: the row stays unknown.
    """
    if before not in IN_DOUBT:
        return code
    if code == UNKNOWN or code in FAILURES:
        return UNKNOWN_AGAIN
    return before if code == NOT_REACHED else code


def excluded(before: int, code: int) -> int:
    """Return the byte of a row without a request, given the byte of the reason: `rule_bytes.code_of`.

    A row that may already have got a message stays unknown.
    """
    return {UNKNOWN: UNKNOWN_AGAIN, LOST: LOST_AGAIN}.get(before, code)


def settled(outcomes: bytes) -> bytes:
    """Return the outcomes after the worker is gone: a request without a result has an unknown outcome."""
    return outcomes.translate(_SETTLED)


def answered(outcomes: bytes) -> bytes:
    """Return the outcomes as if the running requests had not been made."""
    return outcomes.translate(_ANSWERED)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The users of an audience by outcome. The parts always sum to `audience_size`.

    `lost` counts the unknown outcomes whose worker died.
    """

    audience_size: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    lost: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def not_reached(self) -> int:
        """Users who were neither excluded nor tried."""
        return self.audience_size - self.sent - self.failed - self.unknown - sum(self.excluded.values())

    @property
    def attempted(self) -> int:
        """Users with at least one request to the sender."""
        return self.sent + self.failed + self.unknown

    def document(self) -> dict[str, Any]:
        """Return the tally as it is stored and answered."""
        return {
            "audienceSize": self.audience_size,
            "sent": self.sent,
            "failed": self.failed,
            "unknown": self.unknown,
            "lost": self.lost,
            "excluded": dict(self.excluded),
            "notReached": self.not_reached,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Tally":
        """Read what `document` wrote."""
        counted = {name: document[name] for name in ("sent", "failed", "unknown", "lost", "excluded")}
        return cls(audience_size=document["audienceSize"], **counted)

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


def tally(outcomes: bytes, rules: RuleBytes = NO_RULES) -> Tally:
    """Count the row bytes of a shard; see `word` for bytes of a newer release. An INTENT without a RESULT is lost.

    Without the bytes of the execution's rules, who they hold back counts as `other`.

    >>> counted = tally(b"SSFd.")
    >>> counted.audience_size, counted.sent, counted.failed, counted.excluded["no_token"], counted.not_reached
    (5, 2, 1, 1, 1)
    """
    lost = sum(map(outcomes.count, (LOST, LOST_AGAIN, INTENT, INTENT_AGAIN)))
    excluded = {reason.value: outcomes.count(code) for reason, code in EXCLUDED.items()}
    excluded |= {reason: outcomes.count(code) for code, reason in rules.items()}
    strange = [word(code, rules)[0] for code in outcomes.translate(None, _KNOWN + bytes(rules))]
    excluded[OTHER] = strange.count("excluded")
    return Tally(
        audience_size=len(outcomes),
        sent=outcomes.count(SENT),
        failed=sum(map(outcomes.count, FAILURES)),
        unknown=outcomes.count(UNKNOWN) + outcomes.count(UNKNOWN_AGAIN) + lost + strange.count("unknown"),
        lost=lost,
        excluded={reason: count for reason, count in excluded.items() if count},
    )


class Message(NamedTuple):
    """One push to one device, rendered."""

    user_id: str
    token: str
    title: str
    body: str
    deep_link: str | None
    more: tuple[str, ...] = ()
    """The values of `RecipePush.more_texts`."""
    is_fid: bool = False
    """Whether the token is a Firebase installation ID."""
    language: str = ""
    """The one of `RecipePush.translations` that the texts are of; empty for the push's own texts."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Messages whose INTENT is stored: they can be sent now, at most `most_per_second` a second."""

    number: int
    messages: Sequence[Message]
    most_per_second: float


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The values that all messages of one push of one execution share.

    In a dry run FCM only validates the messages.
    """

    execution_id: str
    recipe_id: str
    push: int
    test: bool
    dry_run: bool
    content: RecipePush = _PLAIN
    """What the push carries. Its texts are those of each message."""

    @property
    def collapse_key(self) -> str:
        """The tag with which a device replaces an earlier message of the same push instead of showing both.

        It has 32 characters, the limit of the strictest platform: a web push Topic, RFC 8030.
        """
        kind = "test" if self.test else "live"
        name = f"{self.execution_id}/{self.push}/{kind}"
        return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()

    @property
    def attribution(self) -> str:
        """The push that a message belongs to, for the app to report an open: execution, push and arm.

        All messages of a push are one arm, 0.
        """
        return f"{self.execution_id}.{self.push}.0"

    @property
    def analytics_label(self) -> str:
        """The label under which FCM counts the push, one per recipe and push, because FCM accepts 100 a day.

        At most 50 letters, digits and `-_.~%`: firebase.google.com/docs/cloud-messaging/understand-delivery.
        """
        label = f"{self.recipe_id}-{self.push}"
        if len(label) <= _LONGEST_LABEL:
            return label
        digest = hashlib.blake2b(self.recipe_id.encode(), digest_size=4).hexdigest()
        return f"{self.recipe_id[:30]}-{digest}-{self.push}"
