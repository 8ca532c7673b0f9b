"""Find time zones by city, country or abbreviation, as people search for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from functions.domain.recipe.zones import readable_zones, zone_names
from functions.handlers.console.forms.when_typed import Mistyped
from functions.handlers.console.words import city, listed

COMMON = (
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Singapore"),
    *("Asia/Tokyo", "Australia/Sydney", "UTC"),
)
"""Zones that come first, in this order."""
_ALSO = {
    "UTC": "zulu universal",
    "Europe/London": "uk england britain united kingdom scotland wales manchester edinburgh",
    "Europe/Berlin": "germany deutschland munich hamburg frankfurt cologne stuttgart dusseldorf",
    "Europe/Paris": "france lyon marseille",
    "Europe/Madrid": "spain barcelona valencia",
    "Europe/Rome": "italy milan naples turin",
    "Europe/Amsterdam": "netherlands holland rotterdam",
    "Europe/Zurich": "switzerland geneva basel",
    "Europe/Vienna": "austria",
    "Europe/Warsaw": "poland krakow",
    "Europe/Stockholm": "sweden",
    "Europe/Oslo": "norway",
    "Europe/Copenhagen": "denmark",
    "Europe/Helsinki": "finland",
    "Europe/Dublin": "ireland",
    "Europe/Lisbon": "portugal porto",
    "Europe/Brussels": "belgium",
    "Europe/Athens": "greece",
    "Europe/Prague": "czechia",
    "Europe/Istanbul": "turkey ankara",
    "America/New_York": "usa united states eastern boston miami washington atlanta philadelphia",
    "America/Chicago": "usa united states central dallas houston austin",
    "America/Denver": "usa united states mountain salt lake city",
    "America/Los_Angeles": "usa united states pacific san francisco seattle portland las vegas san diego",
    "America/Toronto": "canada ottawa montreal",
    "America/Vancouver": "canada",
    "America/Mexico_City": "mexico",
    "America/Sao_Paulo": "brazil rio de janeiro brasilia",
    "America/Argentina/Buenos_Aires": "argentina",
    "Asia/Kolkata": "india mumbai delhi bangalore bengaluru chennai hyderabad calcutta",
    "Asia/Shanghai": "china beijing shenzhen",
    "Asia/Tokyo": "japan osaka",
    "Asia/Seoul": "korea",
    "Asia/Dubai": "emirates uae abu dhabi",
    "Asia/Jerusalem": "israel tel aviv",
    "Asia/Jakarta": "indonesia",
    "Asia/Manila": "philippines",
    "Asia/Bangkok": "thailand",
    "Asia/Ho_Chi_Minh": "vietnam hanoi saigon",
    "Asia/Karachi": "pakistan lahore",
    "Africa/Lagos": "nigeria",
    "Africa/Johannesburg": "south africa cape town",
    "Africa/Cairo": "egypt",
    "Africa/Nairobi": "kenya",
    "Australia/Sydney": "australia canberra",
    "Pacific/Auckland": "new zealand wellington",
}
"""Countries and large cities that the names of zones do not have."""
_MOST_NAMED = 4
_MINUTE = timedelta(minutes=1)


class _Known(NamedTuple):
    """A zone, its city, the words that find it, and a well-known one's abbreviations in winter and summer."""

    name: str
    city: str
    words: str
    short: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ZoneChoice:
    """A zone with its current time and its distance from UTC."""

    name: str
    city: str
    clock: str
    offset: str


def find_zones(text: str, now: datetime, *, most: int = 8) -> list[ZoneChoice]:
    """Return the zones that a text finds, the likeliest first; those used most for an empty text."""
    wanted = _plain(text)
    found = sorted(
        (rank, place) for place, known in enumerate(_zones()) if (rank := _rank(known, wanted)) is not None
    )
    return [_choice(_zones()[place].name, now) for _, place in found[:most]]


def read_zone(text: str) -> str:
    """Return the IANA name of the zone that a text means. Mistyped if it means none, or several.

    `EST` means New York, although the database has a zone of that name without daylight saving time.
    """
    if text in readable_zones() and ("/" in text or text == "UTC"):
        return text
    wanted = _plain(text)
    ranked = [(rank, known.name) for known in _zones() if (rank := _rank(known, wanted)) is not None]
    best = [name for rank, name in ranked if rank == min(ranked)[0]]
    clocks = {_clocks(name) for name in best}
    if not wanted or not best:
        raise Mistyped(f"No time zone matches {text!r}. Write a large city, such as Berlin or New York")
    if len(clocks) > 1:
        raise Mistyped(f"{text!r} matches several time zones. Write one: {listed(best[:_MOST_NAMED])}")
    return best[0]


@cache
def _zones() -> Sequence[_Known]:
    """Return the zones with cities, the usual ones first."""
    cities = {name for name in zone_names() if "/" in name and not name.startswith("Etc/")}
    rest = sorted(cities - {*COMMON}, key=lambda name: (name not in _ALSO, name))
    return [_known(name) for name in (*COMMON, *rest)]


def _known(name: str) -> _Known:
    months = (1, 7) if name in _ALSO else ()
    short = {datetime(2026, month, 1, tzinfo=ZoneInfo(name)).tzname() or "" for month in months}
    short |= {"GMT"} if name == "UTC" else set()
    words = f"{_plain(name)} {_ALSO.get(name, '')}"
    return _Known(name, _plain(city(name)), words, frozenset(_plain(each) for each in short if each.isalpha()))


@cache
def _clocks(name: str) -> tuple[timedelta | None, ...]:
    """Return what tells two zones apart today: their distances from UTC in each month."""
    zone = ZoneInfo(name)
    return tuple(datetime(2026, month, 20, tzinfo=zone).utcoffset() for month in range(1, 13))


def _rank(known: _Known, wanted: str) -> int | None:
    """Return how well a zone fits, 0 best; None if it does not."""
    if not wanted:
        return 0
    if wanted in (known.city, _plain(known.name)):
        return 0
    if wanted in known.short:
        return 1
    if f" {wanted} " in f" {known.words} ":
        return 2
    starts = f" {known.words}"
    return 3 if all(f" {word}" in starts for word in wanted.split()) else None


def _choice(name: str, now: datetime) -> ZoneChoice:
    local = now.astimezone(ZoneInfo(name))
    return ZoneChoice(name=name, city=city(name), clock=f"{local:%H:%M}", offset=offset(name, now))


def offset(name: str, now: datetime) -> str:
    """Write how far a zone is from UTC now: UTC+5:30."""
    minutes = (now.astimezone(ZoneInfo(name)).utcoffset() or timedelta()) // _MINUTE
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}" if minutes else "UTC"


def _plain(text: str) -> str:
    return " ".join(re.split(r"[^a-z0-9+]+", text.lower())).strip()
