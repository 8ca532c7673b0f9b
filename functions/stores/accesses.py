"""The access log, and the key of the hashes in it. Firestore deletes an entry some time after its `expireAt`."""

import secrets
from collections.abc import Sequence

from functions.domain.access import KEPT, AccessEntry
from functions.ports.stores import AccessPlace
from functions.stores.documents import Collection, Documents, Query

_KEY_BYTES = 32

ACCESSES = Collection[AccessEntry](
    path="accesses/{}",
    write=AccessEntry.document,
    read=lambda document, keys: AccessEntry.read(keys[0], document) if document else None,
    fields=lambda entry: {"at": entry.at, "expireAt": entry.at + KEPT},
)
ACCESS_KEYS = Collection[str](
    path="accessKeys/{}",
    write=lambda key: {"key": key},
    read=lambda document, _: document.get("key"),
)
_ONE = ACCESS_KEYS.at("subjects")


class DocumentAccessLog:
    """Implements AccessLog."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, entry: AccessEntry) -> None:
        self._documents.create(ACCESSES.at(entry.id), entry)

    def newest(self, *, most: int, after: AccessPlace | None = None) -> Sequence[AccessEntry]:
        return self._documents.find(ACCESSES, Query(order="at", descending=True, after=after or (), most=most))

    def key(self) -> str:
        made = secrets.token_hex(_KEY_BYTES)
        return self._documents.get(_ONE) or (
            made if self._documents.create(_ONE, made) else self._documents.get(_ONE) or made
        )
