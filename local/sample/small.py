"""A small world for a first workspace: the members of a club, their phones and their visits."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

_NAMES = "Ada Ben Cleo Dan Eva Finn Gil Hana Ivo Jana Kai Lena Mia Noah Ola Pia Quim Rosa Sam Tom".split()
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo")
_PLACES = ("pool", "gym", "court")
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_Row = Sequence[object]


def write_small_world(folder: Path) -> None:
    """Write `members.csv`, `phones.csv` and `visits.csv` into a folder, which may be new."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "members.csv", "id first_name email time_zone language joined", _members())
    _write(folder / "phones.csv", "member_id push_token platform seen_at", _phones())
    _write(folder / "visits.csv", "member_id at place minutes", _visits())


def _members() -> Iterable[_Row]:
    for number, name in enumerate(_NAMES, start=1):
        joined = (_START + timedelta(days=3 * number)).date()
        yield (
            number,
            name,
            f"{name.lower()}@club.example",
            _ZONES[number % 3],
            "de" if number % 3 == 0 else "en",
            joined,
        )


def _phones() -> Iterable[_Row]:
    for number in range(1, len(_NAMES) - 2):
        seen = _START + timedelta(days=100 + number, hours=number)
        yield number, _token(number), "ios" if number % 2 else "android", _stamp(seen)


def _visits() -> Iterable[_Row]:
    for number in range(1, len(_NAMES) + 1):
        for visit in range(number % 5):
            at = _START + timedelta(days=90 + 7 * visit + number, minutes=13 * number)
            yield number, _stamp(at), _PLACES[(number + visit) % 3], 20 + 5 * visit


def _token(number: int) -> str:
    """Return a text in the form of a token of FCM, which no device has."""
    digest = hashlib.sha256(f"phone {number}".encode()).hexdigest()
    return f"example{digest[:15]}:APA91b{digest}{digest}"


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _write(path: Path, header: str, rows: Iterable[_Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split())
        writer.writerows(rows)
