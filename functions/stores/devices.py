"""Dead device tokens, packed, by partition of users."""

from collections.abc import Callable, Mapping

from functions.stores.documents import Batch, Collection, Documents

GRAVES = Collection[bytes](
    path="graves/{:03}",
    write=lambda _: {},
    read=lambda document, _: bytes(document.get("packed", b"")),
    fields=lambda packed: {"packed": packed},
)


class DocumentDevices:
    """Implements Devices."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def graves(self, partitions: range) -> Mapping[int, bytes]:
        found = self._documents.get_all([GRAVES.at(partition) for partition in partitions])
        return {partition: packed or b"" for partition, packed in zip(partitions, found, strict=True)}

    def bury(self, partition: int, change: Callable[[bytes], bytes]) -> None:
        place = GRAVES.at(partition)

        def work(batch: Batch) -> None:
            batch.write(place, change(batch.read(place) or b""))

        self._documents.change([place], work)
