"""Pushes sent by other systems that the cadence rules count: imported from a file, or reported one by one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from functions.domain.cadence.layers import Layers
from functions.domain.cadence.rules import CadenceRule, Push
from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import UserIdFormat, is_user_id, user_key
from functions.domain.instants import instant, no_instant

CLOCK_SKEW = timedelta(minutes=1)
"""How far another system's clock may run ahead."""
_SET_BACK = timedelta(hours=3)
"""The largest step by which a zone sets its clocks back today, which extends how far a rule looks back."""
LONGEST_LABEL = 60


class Source(StrEnum):
    """Where a past push was reported."""

    IMPORT = "import"
    TRACKED = "tracked"


class Skipped(StrEnum):
    """Why a valid push is not kept."""

    TOO_OLD = "too_old"
    """No rule looks back that far."""
    BYPASSES = "layer_bypasses"
    """No rule counts pushes of the layer."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Which past pushes to keep, as of an instant: no rule looks back before `since`, or counts an exempt layer."""

    since: datetime
    now: datetime
    user_ids: UserIdFormat
    layers: Layers

    @classmethod
    def of(cls, rules: Iterable[CadenceRule], now: datetime, user_ids: UserIdFormat, layers: Layers) -> "Memory":
        """Return the span that the rules look back at, including inactive rules: they can be activated again."""
        longest = max((timedelta(hours=rule.hours) + _SET_BACK for rule in rules), default=timedelta(0))
        return cls(since=now - longest, now=now, user_ids=user_ids, layers=layers)


@dataclass(frozen=True, kw_only=True)
class PastPush:
    """One push to one user: the user's key in the ledger, the layer, the second, and its name."""

    user: bytes
    layer: int
    at: datetime
    label: str = ""

    def as_push(self, source: Source, name: str = "") -> Push:
        """Return the push as the ledger keeps it, with a unique key."""
        return Push(key=past_key(source, self.at, self.layer, name or self.label), layer=self.layer, at=self.at)


def past_key(source: Source, at: datetime, layer: int, name: str) -> bytes:
    """Return the ledger key of a past push, unique per layer and second, and readable by people."""
    return f"{source.value}/{at.astimezone(UTC):%Y%m%dT%H%M%SZ}/{layer}/{name}".encode()


def past_name(key: str) -> tuple[Source, str] | None:
    """Return the source and the name of a past push by its key; None for a push of an execution."""
    source, *rest = key.split("/", 3)
    return (Source(source), rest[2]) if source in tuple(Source) and len(rest) == 3 else None


def read_past_push(
    written: Mapping[str, str], memory: Memory, *, names: Mapping[str, str] | None = None
) -> PastPush | Skipped:
    """Read `user_id`, `layer`, `sent_at`, and if they are there `recipe` or `title`.

    `layer` and `sent_at` may have the forms that exports write: see `whole_number` and `instant`. BadFields names
    every invalid field, by its name or by the one in `names`.
    """
    name = {key: (names or {}).get(key, key) for key in ("user_id", "layer", "sent_at")}
    errors, layer, at = [], memory.layers.read(written["layer"]), _second(written["sent_at"].strip())
    user_id = written["user_id"].strip()
    if not is_user_id(user_id, memory.user_ids):
        reason = f"{shown(written['user_id'])} is not a valid user id (USER_ID_FORMAT is {memory.user_ids})"
        errors.append(FieldError(name["user_id"], reason))
    if layer is None:
        errors.append(FieldError(name["layer"], f"must be {memory.layers.in_words}, got {shown(written['layer'])}"))
    if isinstance(at, str):
        errors.append(FieldError(name["sent_at"], at))
    elif at > memory.now + CLOCK_SKEW:
        errors.append(FieldError(name["sent_at"], f"{shown(written['sent_at'])} is in the future"))
    if errors or layer is None or isinstance(at, str):
        raise BadFields(errors)
    if layer in memory.layers.exempt:
        return Skipped.BYPASSES
    if at < memory.since:
        return Skipped.TOO_OLD
    label = (written.get("recipe") or written.get("title") or "").strip()
    return PastPush(user=user_key(user_id), layer=layer, at=at, label=label[:LONGEST_LABEL])


def _second(written: str) -> datetime | str:
    """Return the instant in whole seconds, the ledger's precision, or what is wrong with it."""
    try:
        return instant(written).replace(microsecond=0)
    except ValueError:
        return no_instant(shown(written), written)
