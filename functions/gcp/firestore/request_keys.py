"""What was asked for under which name, in Firestore: `requestKeys/{name}`, which expires."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.cloud import firestore

from functions.gcp.firestore.documents import create, plain, read

_EXPIRY = "expireAt"


class FirestoreRequestKeys:
    """Plays RequestKeys."""

    def __init__(self, client: firestore.Client) -> None:
        self._keys = client.collection("requestKeys")

    def claim(self, key: str, asked: Mapping[str, Any], until: datetime) -> Mapping[str, Any]:
        """Keep what is asked under a name that nobody has claimed; return what is kept under it."""
        place = self._keys.document(key)
        if create(place, {"asked": dict(asked), _EXPIRY: until}):
            return asked
        kept = plain(read(place))
        return asked if kept is None else kept["asked"]
