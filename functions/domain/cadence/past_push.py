"""Pushes that something else has sent, and that the cadence rules are to know of: imported, or told one by one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from functions.domain.cadence.rules import BYPASSING_LAYERS, CadenceRule, Push
from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldError
from functions.domain.ids import UserIdFormat, is_user_id, user_key
from functions.domain.instants import instant, no_instant
from functions.domain.whole_numbers import whole_number

CLOCK_SKEW = timedelta(minutes=1)
"""How far another system's clock may be ahead of ours."""
_SET_BACK = timedelta(hours=3)
"""The most that a zone sets its clocks back at once these days, and so by how much a rule may look back further."""
LONGEST_LABEL = 60
_LAYERS: Mapping[object, int] = {0: 5, **{layer: layer for layer in range(1, 6)}}
"""Layer 0 of old documents is layer 5."""


class Source(StrEnum):
    """Who told of a push."""

    IMPORT = "import"
    TRACKED = "tracked"


class Skipped(StrEnum):
    """Why a push is not kept, although nothing is wrong with it."""

    TOO_OLD = "too_old"
    """No rule looks back so far."""
    BYPASSES = "layer_bypasses"
    """Layers 1 and 4 count against nothing."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What of the past is worth keeping, as at an instant: no rule looks back before `since`."""

    since: datetime
    now: datetime
    user_ids: UserIdFormat

    @classmethod
    def of(cls, rules: Iterable[CadenceRule], now: datetime, user_ids: UserIdFormat) -> "Memory":
        """Return what the rules look back at; those that are switched off may be switched on again."""
        longest = max((timedelta(hours=rule.hours) + _SET_BACK for rule in rules), default=timedelta(0))
        return cls(since=now - longest, now=now, user_ids=user_ids)


@dataclass(frozen=True, kw_only=True)
class PastPush:
    """One push to one user: the user's key in the ledger, the layer, the second, and what people call it."""

    user: bytes
    layer: int
    at: datetime
    label: str = ""

    def as_push(self, source: Source, name: str = "") -> Push:
        """Return the push as the ledger knows it; a name of its own tells it from all others."""
        return Push(key=past_key(source, self.at, self.layer, name or self.label), layer=self.layer, at=self.at)


def past_key(source: Source, at: datetime, layer: int, name: str) -> bytes:
    """Return the key of a past push in the ledger, another for each layer and second; people read it too."""
    return f"{source.value}/{at.astimezone(UTC):%Y%m%dT%H%M%SZ}/{layer}/{name}".encode()


def past_name(key: str) -> tuple[Source, str] | None:
    """Return who told of a past push by its key, and its name; None for a push of an execution."""
    source, *rest = key.split("/", 3)
    return (Source(source), rest[2]) if source in tuple(Source) and len(rest) == 3 else None


def read_past_push(
    written: Mapping[str, str], memory: Memory, *, names: Mapping[str, str] | None = None
) -> PastPush | Skipped:
    """Read `user_id`, `layer`, `sent_at`, and if they are there `recipe` or `title`.

    `layer` and `sent_at` may be written as exports write them: see `whole_number` and `instant`. BadFields names
    every field at fault, by its name or by that in `names`.
    """
    name = {key: (names or {}).get(key, key) for key in ("user_id", "layer", "sent_at")}
    errors, layer, at = [], _LAYERS.get(whole_number(written["layer"])), _second(written["sent_at"].strip())
    user_id = written["user_id"].strip()
    if not is_user_id(user_id, memory.user_ids):
        reason = f"{shown(written['user_id'])} is no valid user id (USER_ID_FORMAT is {memory.user_ids})"
        errors.append(FieldError(name["user_id"], reason))
    if layer is None:
        errors.append(FieldError(name["layer"], f"must be a layer from 1 to 5, got {shown(written['layer'])}"))
    if isinstance(at, str):
        errors.append(FieldError(name["sent_at"], at))
    elif at > memory.now + CLOCK_SKEW:
        errors.append(FieldError(name["sent_at"], f"{shown(written['sent_at'])} is in the future"))
    if errors or layer is None or isinstance(at, str):
        raise BadFields(errors)
    if layer in BYPASSING_LAYERS:
        return Skipped.BYPASSES
    if at < memory.since:
        return Skipped.TOO_OLD
    label = (written.get("recipe") or written.get("title") or "").strip()
    return PastPush(user=user_key(user_id), layer=layer, at=at, label=label[:LONGEST_LABEL])


def _second(written: str) -> datetime | str:
    """Return the whole second, as the ledger keeps no less, or what is wrong with it."""
    try:
        return instant(written).replace(microsecond=0)
    except ValueError:
        return no_instant(shown(written), written)
