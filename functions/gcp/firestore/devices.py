"""Dead device tokens in Firestore: `graves/{partition}`, packed."""

from collections.abc import Callable, Mapping
from functools import partial

from google.cloud import firestore
from google.cloud.firestore_v1.document import DocumentReference

from functions.gcp.firestore.documents import Unit, find
from functions.gcp.firestore.documents import change as change_documents


class FirestoreDevices:
    """Plays Devices."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        """Return the dead tokens of partitions of users; empty bytes where there are none."""
        wanted = [self._place(partition) for partition in partitions]
        found = find(partial(self._client.get_all, wanted)) if wanted else []
        packed = {int(snapshot.id): bytes((snapshot.to_dict() or {}).get("packed", b"")) for snapshot in found}
        return {partition: packed[partition] for partition in partitions}

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        """Replace a partition's dead tokens by what `change` makes of them, in one transaction."""
        place = self._place(partition)

        def work(unit: Unit) -> None:
            stored = bytes((unit.read(place).to_dict() or {}).get("packed", b""))
            unit.write(place, {"packed": change(stored)})

        change_documents(self._client, [place], work)

    def _place(self, partition: int) -> DocumentReference:
        return self._client.document(f"graves/{partition:03}")
