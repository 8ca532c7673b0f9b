"""Recipe documents in Firestore, `recipes/{id}`, where people may edit them by hand."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.cloud import firestore

from functions.domain.audit import Deed
from functions.domain.ids import RECIPE_ID
from functions.gcp.firestore.audit import FirestoreAuditLog
from functions.gcp.firestore.documents import Snapshot, Unit, find, plain, read
from functions.gcp.firestore.documents import change as change_documents


class FirestoreRecipeStore:
    """Plays RecipeStore. A document's name is its recipe's id, whatever a person wrote into its field `id`."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._recipes = client.collection("recipes")
        self._audit = FirestoreAuditLog(client)

    def get(self, recipe_id: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        if not RECIPE_ID.fullmatch(recipe_id):
            return None
        return _named(read(self._recipes.document(recipe_id)))

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every document, in order of their ids."""
        found = find(self._recipes.order_by("__name__").stream)
        return [document for snapshot in found if (document := _named(snapshot)) is not None]

    def page(self, *, after: str = "", most: int) -> Sequence[dict[str, Any]]:
        """Return at most so many documents, in order of their ids: the first, or those that follow an id."""
        query = self._recipes.order_by("__name__").limit(most)
        if after:
            query = query.start_after({"__name__": self._recipes.document(after)})
        return [document for snapshot in find(query.stream) if (document := _named(snapshot)) is not None]

    def change(
        self,
        recipe_id: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any] | None],
        deed: Deed | None = None,
    ) -> dict[str, Any] | None:
        """Replace a document by what `change` makes of it, in one transaction; a deed goes to the audit log in it."""
        reference = self._recipes.document(recipe_id)

        def work(unit: Unit) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
            changed = change(_named(unit.read(reference)))
            if changed is None:
                unit.delete(reference)
            else:
                unit.write(reference, changed)
            return _named(unit.read(reference)), changed

        if deed is None:
            return change_documents(self._client, [reference], work)[1]
        return self._audit.tell(recipe_id, reference, work, deed)


def _named(snapshot: Snapshot) -> dict[str, Any] | None:
    document = plain(snapshot)
    return None if document is None else document | {"id": snapshot.id}
