"""The store of segments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.domain.audience.segments import SUBJECT, Segment
from functions.domain.audit import Deed
from functions.domain.ids import RECIPE_ID
from functions.domain.instants import instant, stamp
from functions.stores.audit import DocumentAuditLog
from functions.stores.documents import Batch, Collection, Documents, Query

Snapshot = dict[str, Any] | None


def _write(segment: Segment) -> Mapping[str, Any]:
    at = stamp(segment.updated_at) if segment.updated_at else None
    texts = {"name": segment.name, "description": segment.description}
    return {**texts, "where": segment.where, "updatedAt": at, "updatedBy": segment.updated_by}


def _read(document: Mapping[str, Any], keys: Sequence[str]) -> Segment:
    at = document.get("updatedAt")
    return Segment(
        id=keys[0],
        name=document["name"],
        where=document["where"],
        description=document.get("description") or "",
        updated_at=instant(at) if at else None,
        updated_by=document.get("updatedBy") or "",
    )


SEGMENTS = Collection[Segment](path="segments/{}", write=_write, read=_read, changeable=True)


class DocumentSegments:
    """Implements SegmentStore."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._audit = DocumentAuditLog(documents)

    def get(self, segment_id: str) -> Segment | None:
        return self._documents.get(SEGMENTS.at(segment_id)) if RECIPE_ID.fullmatch(segment_id) else None

    def all(self) -> Sequence[Segment]:
        return self._documents.find(SEGMENTS, Query())

    def change(
        self, segment_id: str, change: Callable[[Segment | None], Segment | None], deed: Deed
    ) -> Segment | None:
        place = SEGMENTS.at(segment_id)

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            before = batch.read(place)
            after = change(before)
            if after is None:
                batch.delete(place)
            else:
                batch.write(place, after)
            changed[:] = [after]
            return _snapshot(before), _snapshot(after)

        changed: list[Segment | None] = []
        self._audit.change(SUBJECT, [place], work, deed)
        return changed[0] if changed else None


def _snapshot(segment: Segment | None) -> Snapshot:
    return None if segment is None else {"id": segment.id, **_write(segment)}
