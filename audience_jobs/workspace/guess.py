"""Guesses what the columns of a source mean, from their names and a sample of their values.

A guess is a proposal that a person reads and corrects: where it is unsure, it says why.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Literal
from zoneinfo import available_timezones

from audience_jobs.schema import ColumnType
from audience_jobs.sql import UUID

Meaning = Literal["secret", "token", "platform", "time_zone", "locale", "email", "phone"]
PRIVATE: frozenset[Meaning] = frozenset({"secret", "token", "email", "phone"})
"""What no recipe may read."""

_MOST_OF = 0.9
"""The part of a sample that has to look alike: exports hold a few broken values."""
_NAMES_A_TOKEN = re.compile(r"(^|_)(token|fcm|registration_id)($|_)|_token$|push_?token", re.IGNORECASE)
_NAMES_A_SECRET = re.compile(
    r"passw|(^|_)(pwd|pass|salt|otp|pin|iban|ssn)($|_)|secret|(api|private)_?key", re.IGNORECASE
)
_NAMES_A_PHONE = re.compile(r"phone|mobile|msisdn|(^|_)tel($|_)", re.IGNORECASE)
_NAMES_AN_ID = re.compile(r"(^|_)(id|uid|uuid|guid)$|Id$|ID$")
_UUID = re.compile(UUID)
_FCM_TOKEN = re.compile(r"[\w-]{8,}:APA91[\w-]{40,}|[\w-]{8,64}:[\w-]{100,300}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+?[\d ()./-]{7,20}")
_E164 = re.compile(r"\+[1-9]\d{7,14}")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Z][a-z]{3})?([-_]([A-Z]{2}|\d{3}))?")
_PLATFORMS = frozenset("android ios web iphone ipad ipados".split())
_BOOLEANS = frozenset("true false t f yes no y n".split())
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2}.*", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some rows of a column, as text; None is NULL. `declared` is its type where the source knows one but text."""

    name: str
    values: Sequence[str | None]
    declared: ColumnType | None = None

    @property
    def filled(self) -> list[str]:
        """The values that are neither NULL nor empty."""
        return [value for value in self.values if value]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a column seems to be; `unsure` says why a person should look, and is empty where the sample is clear.

    `broken` says that some values are not of the type.
    """

    type: ColumnType
    meaning: Meaning | None = None
    unique: bool = False
    unsure: str = ""
    broken: bool = False

    @property
    def private(self) -> bool:
        """Whether no recipe should read the column."""
        return self.meaning in PRIVATE


def guess(sample: Sample, *, private: bool = False) -> Guess:
    """Return what a column seems to be; it quotes no value of one that is known, or seems, to be private."""
    filled = sample.filled
    unique = len(filled) == len(sample.values) == len(set(filled)) > 0
    meaning = _meaning(sample.name, filled)
    type_ = _declared(sample) or _type(sample.name, filled)
    if not filled:
        return Guess(type=type_, unsure="it is empty" if sample.declared is None else "")
    rest = [] if sample.declared else [value for value in filled if not is_a(type_, value)]
    unsure = f"{len(rest):,} of {len(filled):,} values are not {type_}" if rest else ""
    if rest and not private and meaning not in PRIVATE:
        unsure += f", such as {rest[0][:40]!r}"
    return Guess(type=type_, meaning=meaning, unique=unique, unsure=unsure, broken=bool(rest))


def is_a(type_: ColumnType, value: str) -> bool:
    """Whether a text can be read as a type."""
    return _IS[type_](value)


def is_fcm_token(value: str) -> bool:
    """Whether a text looks like a registration token of FCM."""
    return _FCM_TOKEN.fullmatch(value.strip()) is not None


def names_a_token(name: str) -> bool:
    """Whether a column is named as those of tokens are."""
    return _NAMES_A_TOKEN.search(name) is not None


def is_zone(value: str) -> bool:
    """Whether a text is the name of an IANA time zone."""
    return value in _zones()


def is_locale(value: str) -> bool:
    """Whether a text is written as a locale, as in `de`, `pt-BR` or `pt_BR`."""
    return _LOCALE.fullmatch(value) is not None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _declared(sample: Sample) -> ColumnType | None:
    """Return the type that the source declares; a number that is named like an id is one."""
    named = sample.declared == "integer" and _NAMES_AN_ID.search(sample.name)
    return "id" if named else sample.declared


def _type(name: str, filled: Sequence[str]) -> ColumnType:
    if _NAMES_AN_ID.search(name) or (filled and mostly(filled, _UUID.fullmatch)):
        return "id"
    return next((type_ for type_ in _NARROWEST_FIRST if filled and mostly(filled, _IS[type_])), "text")


def _meaning(name: str, filled: Sequence[str]) -> Meaning | None:
    """Return the first meaning that fits; a name counts only where the values do not speak against it."""
    if not filled:
        return None
    return next((meaning for meaning, fits in _MEANINGS.items() if fits(name, filled)), None)


def _is_token(name: str, filled: Sequence[str]) -> bool:
    long_enough = mostly(filled, lambda value: len(value) >= 20)
    return mostly(filled, _FCM_TOKEN.fullmatch) or (bool(_NAMES_A_TOKEN.search(name)) and long_enough)


def _is_phone(name: str, filled: Sequence[str]) -> bool:
    named = bool(_NAMES_A_PHONE.search(name))
    return mostly(filled, _E164.fullmatch) or (named and mostly(filled, _PHONE.fullmatch))


def _is_zone(_: str, filled: Sequence[str]) -> bool:
    return any("/" in value for value in filled) and mostly(filled, is_zone)


_MEANINGS: Mapping[Meaning, Callable[[str, Sequence[str]], bool]] = {
    "secret": lambda name, _: bool(_NAMES_A_SECRET.search(name)),
    "token": _is_token,
    "email": lambda _, filled: mostly(filled, _EMAIL.fullmatch),
    "phone": _is_phone,
    "platform": lambda _, filled: mostly(filled, lambda value: value.strip().lower() in _PLATFORMS),
    "time_zone": _is_zone,
    "locale": lambda name, filled: mostly(filled, _LOCALE.fullmatch) and _names_a_locale(name, filled),
}


def _names_a_locale(name: str, filled: Iterable[str]) -> bool:
    """Tell `de-AT` and `language: de` from other short words, such as a country or a unit."""
    return bool(re.search("lang|locale", name, re.IGNORECASE)) or all("-" in each or "_" in each for each in filled)


def mostly(filled: Sequence[str], fits: Callable[[str], object]) -> bool:
    """Whether the most of a sample fits; stops where too much of it does not."""
    allowed = len(filled) - _MOST_OF * len(filled)
    misses = (1 for value in filled if not fits(value))
    return all(count <= allowed for count in accumulate(misses))


def _is_whole(value: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(0|[1-9]\d{0,17})", value))


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d{1,30}(\.\d+)?([eE][+-]?\d{1,3})?", value)) and not re.match(r"[+-]?0\d", value)


def _is_instant(value: str) -> bool:
    """Whether it is an ISO instant, or as BigQuery (` UTC`) or Ruby (` +0000`) writes one."""
    written = re.sub(r" ?(UTC|GMT)$| (?=[+-]\d{2}:?\d{2}$)", "", value.strip())
    try:
        return bool(_TIMESTAMP.fullmatch(written)) and bool(datetime.fromisoformat(written))
    except ValueError:
        return False


def _is_date(value: str) -> bool:
    try:
        return bool(_DATE.fullmatch(value)) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_json(value: str) -> bool:
    try:
        return value.lstrip()[:1] in ("{", "[") and json.loads(value) is not None
    except ValueError:
        return False


_IS: Mapping[ColumnType, Callable[[str], bool]] = {
    "boolean": lambda value: value.lower() in _BOOLEANS,
    "integer": _is_whole,
    "number": _is_number,
    "date": _is_date,
    "timestamp": lambda value: _is_instant(value) or _is_date(value),
    "json": _is_json,
    "text": bool,
    "id": bool,
    "text[]": bool,
}
_NARROWEST_FIRST: Sequence[ColumnType] = ("boolean", "integer", "number", "date", "timestamp", "json")
