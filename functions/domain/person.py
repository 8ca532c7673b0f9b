"""One user in stored documents and files: where the id is, and the same without it."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from functions.domain.ids import canonical_user_id, is_uuid, user_digest, user_key

ERASED = "[erased]"
"""Stands where a user's id was."""
_LONG_ENOUGH = 8
"""The length from which an id is also looked for inside longer texts. A shorter one may be a word of its own."""


@dataclass(frozen=True)
class Person:
    """A user by id. UUIDs match in any case."""

    user_id: str

    @property
    def digest(self) -> bytes:
        """The user's place in audience files."""
        return user_digest(self.user_id)

    @property
    def key(self) -> bytes:
        """The user's key in the cadence ledger."""
        return user_key(self.user_id)

    def is_me(self, text: str) -> bool:
        """Return whether a text is the user's id."""
        return canonical_user_id(text.strip()) == canonical_user_id(self.user_id)

    def in_text(self, text: str) -> bool:
        """Return whether a text is the id, or holds it: as a word, or as a UUID anywhere."""
        return self.is_me(text) or (self._within is not None and self._within.search(text) is not None)

    def without(self, text: str) -> str:
        """Return a text with a mark in place of the id."""
        if self.is_me(text):
            return ERASED
        return text if self._within is None else self._within.sub(ERASED, text)

    def found_in(self, value: Any, path: str = "") -> Iterator[tuple[str, str]]:
        """Yield the path and the text of each place in a document that holds the id."""
        if isinstance(value, str) and self.in_text(value):
            yield path, value
        elif isinstance(value, Mapping):
            for name, item in value.items():
                inner = f"{path}.{name}".lstrip(".")
                if self.in_text(str(name)):
                    yield inner, str(name)
                yield from self.found_in(item, inner)
        elif isinstance(value, (list, tuple)):
            for position, item in enumerate(value):
                yield from self.found_in(item, f"{path}[{position}]")

    def erased_from(self, value: Any) -> Any:
        """Return a document with a mark in each place that holds the id."""
        if isinstance(value, str):
            return self.without(value)
        if isinstance(value, Mapping):
            return {self.without(str(name)): self.erased_from(item) for name, item in value.items()}
        return [self.erased_from(item) for item in value] if isinstance(value, (list, tuple)) else value

    def dropped_from(self, value: Any) -> Any:
        """Return a document without the id: lists lose it, and other texts get the mark."""
        if isinstance(value, Mapping):
            return {self.without(str(name)): self.dropped_from(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.dropped_from(item) for item in value if not (isinstance(item, str) and self.is_me(item))]
        return self.erased_from(value)

    def keyed_hash(self, key: str) -> str:
        """Return HMAC-SHA256 of the id, in hexadecimal: only who has the key can tell whether an id was erased."""
        text = canonical_user_id(self.user_id).encode("utf-8", "surrogatepass")
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()

    @cached_property
    def _within(self) -> re.Pattern[str] | None:
        if len(self.user_id) < _LONG_ENOUGH:
            return None
        if is_uuid(self.user_id):  # no other word holds a UUID, so it counts wherever it is
            return re.compile(re.escape(self.user_id), re.IGNORECASE)
        return re.compile(rf"(?<![\w-]){re.escape(self.user_id)}(?![\w-])")
