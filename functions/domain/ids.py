"""Identifiers: of recipes, executions, tasks and users."""

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

LONGEST_RECIPE_ID = 100
RECIPE_ID = re.compile(rf"(?!__.*__$)[A-Za-z0-9_-]{{1,{LONGEST_RECIPE_ID}}}")
"""Firestore keeps names like `__this__` for itself."""
ONE_OFF = "one-off"
"""The recipe id of one-off sends, which have no recipe. No recipe is allowed to have it."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST_USER_ID = 200
_FOLLOWER = re.compile(r"-n([0-9]{1,9})$")

USER_KEY_BYTES = 8
"""The number of bytes of md5(user_id) in a user's ledger key. Among ten million users the chance that any two share
a key is 3 in a million, and the harm is one push held back."""


class UserIdFormat(StrEnum):
    """The values of `USER_ID_FORMAT`: which user ids are valid."""

    UUID = "uuid"
    ANY = "any"


ALLOW_ANY = (
    "set USER_ID_FORMAT=any if user ids are not UUIDs (USER_ID_FORMAT is uuid; "
    'a workspace says user_id = "any" in tminus.toml)'
)
"""The way out where ids have to be UUIDs and are not."""


def is_user_id(text: str, form: UserIdFormat) -> bool:
    """Return whether a user id is valid. Users with invalid ids are excluded and counted."""
    if form is UserIdFormat.UUID:
        return _UUID.fullmatch(text) is not None
    return 0 < len(text) <= _LONGEST_USER_ID and text.isprintable() and text == text.strip()


def no_user_id(shown: str, form: UserIdFormat) -> str:
    """Return the message for an invalid user id, with the setting that allows such ids; `shown` is the quoted id."""
    if form is UserIdFormat.UUID:
        return f"{shown} is not a UUID; {ALLOW_ANY}"
    return f"{shown} is not a user id: 1 to {_LONGEST_USER_ID} printable characters, without blanks around them"


def is_uuid(user_id: str) -> bool:
    """Return whether a user id is a UUID, in either case."""
    return _UUID.fullmatch(user_id.lower()) is not None


def canonical_user_id(user_id: str) -> str:
    """Return the canonical form of a user id: a UUID in lower case, anything else unchanged."""
    lower = user_id.lower()
    return lower if lower == user_id or _UUID.fullmatch(user_id) else user_id


def user_digest(user_id: str) -> bytes:
    """Return md5(user_id), 16 bytes: the order of every audience file and the key of every partition."""
    return hashlib.md5(canonical_user_id(user_id).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def user_key(user_id: str) -> bytes:
    """Return the user's key in the cadence ledger: the first bytes of the digest."""
    return user_digest(user_id)[:USER_KEY_BYTES]


def slug(name: str) -> str:
    """Return a recipe id made of a name, always the same. If characters are lost, a hash is appended."""
    letters = [letter for letter in unicodedata.normalize("NFKD", name) if letter.isalnum()]
    latin = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:80]
    if words and all(letter.isascii() for letter in letters):
        return words
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{words or 'recipe'}-{digest}"


def execution_id(recipe_id: str, send_at: datetime, kind: str = "") -> str:
    """Return the execution id of a recipe and a send instant: the only dedup authority.

    The id of an execution started by hand contains its kind, so that it never collides with a scheduled send.
    """
    return f"{recipe_id}_{send_at.astimezone(UTC):%Y%m%dT%H%M%SZ}{kind and f'-{kind}'}"


@lru_cache(maxsize=1_000)
def send_instant_of(execution: str) -> datetime | None:
    """Return the send instant in an id that `execution_id` made; None for any other id."""
    written = execution.rpartition("_")[2].partition("-")[0]
    try:
        return datetime.strptime(written, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def recipe_of(execution: str) -> str:
    """Return the recipe id in an id that `execution_id` made: everything before the last `_`."""
    return execution.rpartition("_")[0]


def task_name(execution: str, step: str, generation: int) -> str:
    """Return the name of a step's task, with a hashed prefix.

    Sequential names slow Cloud Tasks down: cloud.google.com/tasks/docs/creating-http-target-tasks.
    """
    return _hashed(f"{execution}-{step}-g{generation}")


def _hashed(name: str) -> str:
    return f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{name}"


def follower_name(task: str) -> tuple[str, int]:
    """Return the name of the task that follows one that came too early, and how many came before it in a row.

    The same task always has the same follower, so that two deliveries of it add one.
    """
    step = task.partition("-")[2] or task
    earlier = _FOLLOWER.search(step)
    number = int(earlier[1]) + 1 if earlier else 1
    step = f"{_FOLLOWER.sub('', step)}-n{number}"
    return _hashed(step), number


def push_key(execution: str, push: int) -> bytes:
    """Return the key of one push of one execution in the cadence ledger, readable by people."""
    return f"{execution}/{push}".encode()
