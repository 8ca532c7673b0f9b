"""The store of recipe documents, which people may edit by hand."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from functions.domain.audit import Deed
from functions.domain.ids import RECIPE_ID
from functions.stores.audit import DocumentAuditLog
from functions.stores.documents import Batch, Collection, Documents, Query

Recipe = dict[str, Any]
RECIPES = Collection[Recipe](
    path="recipes/{}",
    write=lambda document: document,
    read=lambda document, keys: {**document, "id": keys[0]},
    changeable=True,
)


class DocumentRecipeStore:
    """Plays RecipeStore. A document's name is the recipe's id, even if the field `id` was edited by hand."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._audit = DocumentAuditLog(documents)

    def get(self, recipe_id: str) -> Recipe | None:
        return self._documents.get(RECIPES.at(recipe_id)) if RECIPE_ID.fullmatch(recipe_id) else None

    def all(self) -> Iterable[Recipe]:
        return self._documents.find(RECIPES, Query())

    def page(self, *, after: str = "", most: int) -> Sequence[Recipe]:
        return self._documents.find(RECIPES, Query(after=(after,) if after else (), most=most))

    def change(
        self, recipe_id: str, change: Callable[[Recipe | None], Recipe | None], deed: Deed | None = None
    ) -> Recipe | None:
        place = RECIPES.at(recipe_id)

        def work(batch: Batch) -> tuple[Recipe | None, Recipe | None]:
            changed = change(batch.read(place))
            if changed is None:
                batch.delete(place)
            else:
                batch.write(place, changed)
            return batch.read(place), changed

        if deed is None:
            return self._documents.change([place], work)[1]
        return self._audit.change(recipe_id, [place], work, deed)
