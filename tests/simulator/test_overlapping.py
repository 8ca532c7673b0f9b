"""Changes of documents overlap in the simulator: one whose documents have changed meanwhile begins again."""

from typing import Any

from functions.stores.documents import Batch, Collection
from local.simulator.play.overlapping import OverlappingDocuments

NUMBERS = Collection[dict[str, Any]](
    path="numbers/{}", write=lambda document: document, read=lambda document, _: dict(document), changeable=True
)


def test_a_change_that_was_overtaken_begins_again_and_loses_nothing() -> None:
    documents, place = OverlappingDocuments(), NUMBERS.at("a")
    documents.put(place, {"number": 1})
    reads = []

    def add_one(batch: Batch) -> None:
        found = batch.read(place) or {}
        reads.append(found["number"])
        if len(reads) == 1:
            documents.put(place, {"number": 10})
        batch.write(place, {"number": found["number"] + 1})

    documents.change([place], add_one)
    assert (reads, documents.get(place)) == ([1, 10], {"number": 11})
