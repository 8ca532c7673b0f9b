"""Read single values of `audienceCriteria`.

Each function returns the value, or None if it means no condition. ValueError has the reason and the way out.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from audience_jobs.contract import DataPack
from audience_jobs.errors import choices
from audience_jobs.sql import UUID
from audience_jobs.workspace.filters import Filter, FilterValue

_MOST_DAYS, _MOST_COUNT = 36_500, 1_000_000_000
_LONGEST_ID = 200
_UUID = re.compile(UUID)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UTC_IN_WORDS = re.compile(r" ?(UTC|GMT)$")
"""How BigQuery exports an instant."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("any", "all", "both"), None),
    **dict.fromkeys(("yes", "true"), True),
    **dict.fromkeys(("no", "false"), False),
}


def shown(value: object) -> str:
    """Show a value as JSON, shortened, for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def filter_value(of: Filter, name: str, value: object) -> FilterValue | None:
    """Read the value that a filter has by one of its names. With an old one, 0 and "any" mean no condition."""
    is_old = name != of.name
    if of.kind == "yes_no":
        return yes_no_or_any(value, of) if is_old else yes_or_no(value)
    if of.kind == "instant":
        return instant(value)
    if is_old and _is_nothing(value):
        return None
    return days(value) if of.kind == "days" else _whole(value, 0, _MOST_COUNT, f"{of.unit}s")


def days(value: object) -> int:
    """Read a number of days."""
    return _whole(value, 1, _MOST_DAYS, "days")


def yes_or_no(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {shown(value)}")
    return value


def yes_no_or_any(value: object, of: Filter) -> bool | None:
    """Read true, false or a word of an old recipe: "any", "yes", or one that the filter has for yes or no."""
    if isinstance(value, bool):
        return value
    own = {_folded(each): each in of.old_yes for each in (*of.old_yes, *of.old_no)}
    words = {**_WORDS, **own}
    word = _folded(value) if isinstance(value, str) else None
    if word not in words:
        *others, last = ["true", "false", *(f'"{each}"' for each in ("any", *of.old_yes[:1], *of.old_no[:1]))]
        raise ValueError(f"must be {', '.join(others)} or {last}, got {shown(value)}")
    return words[word]


def _folded(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()


def instant(value: object) -> datetime:
    """Read a date, which means its first moment in UTC, or an ISO instant; give it in UTC, without zone."""
    try:
        if not isinstance(value, str) or not _DATE.match(value):
            raise ValueError("not a date")
        read = datetime.fromisoformat(_UTC_IN_WORDS.sub("+00:00", value))
        return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        raise ValueError(f"must be a date YYYY-MM-DD or an ISO instant, got {shown(value)}") from None


def user_ids(value: object) -> tuple[str, ...] | None:
    """Read a list of user ids, or a text of ids between commas, semicolons or white space.

    Each id is returned once, UUIDs in lower case. An empty list means no condition.
    """
    listed = re.split(r"[\s,;]+", value) if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise ValueError(f"must be a list of user ids, got {shown(value)}")
    return tuple(dict.fromkeys(_user_id(place, id_) for place, id_ in enumerate(listed) if id_ != "")) or None


def data_packs(value: object, known: Mapping[str, DataPack]) -> tuple[DataPack, ...]:
    """Read a list of names of data packs, or the object of true and false that old forms wrote."""
    if isinstance(value, Mapping):
        for name, wanted in value.items():
            if not isinstance(wanted, bool):
                raise ValueError(f"says {shown(wanted)} to {shown(name)}: write a list of names")
        names = [name for name, wanted in value.items() if wanted]
    elif isinstance(value, list):
        names = value
    else:
        raise ValueError(f"must be a list of data packs, got {shown(value)}")
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"names {shown(name)}, which is not a data pack{choices(str(name), list(known))}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _whole(value: object, least: int, most: int, unit: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"must be a whole number of {unit} from {least} to {most}, got {shown(value)}")
    return value


def _is_nothing(value: object) -> bool:
    return value == 0 and isinstance(value, int) and not isinstance(value, bool)


def _user_id(place: int, written: object) -> str:
    if not isinstance(written, str):
        raise ValueError(f"must be a list of texts; entry {place + 1} is {shown(written)}")
    user_id = written.strip()
    if not user_id or not user_id.isprintable() or len(user_id) > _LONGEST_ID:
        raise ValueError(f"holds no user id at entry {place + 1}: {shown(written)}")
    return user_id.lower() if _UUID.fullmatch(user_id) else user_id
