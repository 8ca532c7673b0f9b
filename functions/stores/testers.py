"""The named test people: one document."""

from collections.abc import Callable, Sequence

from functions.domain.audit import Deed
from functions.domain.testers import SUBJECT, NamedTester, counted, testers_document
from functions.stores.audit import DocumentAuditLog, Snapshot
from functions.stores.documents import Batch, Collection, Documents

Testers = tuple[NamedTester, ...]

TESTERS = Collection[Testers](
    path="settings/testPeople",
    write=testers_document,
    read=lambda document, _: tuple(map(NamedTester.read, document.get("people", ()))),
)


class DocumentTesterStore:
    """Implements TesterStore."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._audit = DocumentAuditLog(documents)

    def all(self) -> Sequence[NamedTester]:
        return self._documents.get(TESTERS.at()) or ()

    def change(
        self, change: Callable[[Sequence[NamedTester]], Sequence[NamedTester]], deed: Deed
    ) -> Sequence[NamedTester]:
        changed: Testers = ()

        def work(batch: Batch) -> tuple[Snapshot, Snapshot]:
            nonlocal changed
            before = batch.read(TESTERS.at()) or ()
            changed = tuple(change(before))
            if changed == before:
                return None, None
            batch.write(TESTERS.at(), changed)
            return counted(before), counted(changed)

        self._audit.change(SUBJECT, [TESTERS.at()], work, deed)
        return changed
