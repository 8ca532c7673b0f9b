"""Requests by their Idempotency-Keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.stores.documents import Collection, Documents


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, and how long it is kept at least; None if it is not read again."""

    asked: Mapping[str, Any]
    until: datetime | None = None


REQUEST_KEYS = Collection[Asked](
    path="requestKeys/{}",
    write=lambda asked: {"asked": dict(asked.asked)},
    read=lambda document, _: Asked(asked=document["asked"]),
    fields=lambda asked: {"expireAt": asked.until},
    changeable=True,
)


class DocumentRequestKeys:
    """Implements RequestKeys."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:
        place = REQUEST_KEYS.at(key)
        if self._documents.create(place, Asked(asked=asked, until=until)):
            return asked
        kept = self._documents.get(place)
        return asked if kept is None else kept.asked
