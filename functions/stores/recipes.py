"""The store of recipe documents, which people may edit by hand, and of the plans of their sends."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from functions.domain.audit import Deed
from functions.domain.documents import FORMAT
from functions.domain.errors import BadRecipe, Unreadable
from functions.domain.ids import RECIPE_ID
from functions.domain.instants import instant, stamp
from functions.domain.recipe.plan import Plan, plan_of
from functions.domain.recipe.read import read
from functions.ports.stores import PlanPlace
from functions.stores.audit import DocumentAuditLog
from functions.stores.documents import Batch, Collection, Documents, Place, Query, newer_format

E = TypeVar("E")
Recipe = dict[str, Any]
RECIPES = Collection[Recipe](
    path="recipes/{}",
    write=lambda document: document,
    read=lambda document, keys: {**document, "id": keys[0]},
    read_newer=lambda document, keys: {**document, "id": keys[0]},
    changeable=True,
)
"""A recipe of a newer format keeps the field `FORMAT`: `read` refuses it, so nothing is sent for it."""


def _write_plan(plan: Plan) -> Mapping[str, Any]:
    return {
        "name": plan.name,
        "timezone": plan.zone,
        "schedule": plan.schedule,
        "firstSendAt": stamp(plan.first_send_at),
        "nextSendAt": stamp(plan.next_send_at),
    }


def _read_plan(document: Mapping[str, Any], keys: Sequence[str]) -> Plan:
    first = document["firstSendAt"]
    return Plan(
        recipe_id=keys[0],
        name=document["name"],
        zone=document["timezone"],
        schedule=document["schedule"],
        first_send_at=instant(first) if first else None,
        next_send_at=instant(document["nextSendAt"]),
    )


PLANS = Collection[Plan](
    path="plans/{}",
    write=_write_plan,
    read=_read_plan,
    fields=lambda plan: {"nextSendAt": plan.next_send_at},
    read_newer=lambda *_: None,
)
"""A plan of a newer format counts as missing: it is made from its recipe, and reconcile makes it again."""


class DocumentRecipeStore:
    """Implements RecipeStore. A document's name is the recipe's id, even if the field `id` was edited by hand."""

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
        place, plan = RECIPES.at(recipe_id), PLANS.at(recipe_id)

        def work(batch: Batch) -> tuple[Recipe | None, Recipe | None]:
            changed = change(_known(batch.read(place)))
            _put(batch, place, changed)
            if deed is not None:
                _put(batch, plan, _planned(changed, deed.at))
            return batch.read(place), changed

        if deed is None:
            return self._documents.change([place], work)[1]
        return self._audit.change(recipe_id, [place, plan], work, deed)

    def plans(self, *, most: int | None = None, after: PlanPlace | None = None) -> Sequence[Plan]:
        return self._documents.find(PLANS, Query(order="nextSendAt", after=after or (), most=most))

    def plan(self, recipe_id: str, now: datetime) -> None:
        place, plan = RECIPES.at(recipe_id), PLANS.at(recipe_id)
        self._documents.change([place, plan], lambda batch: _put(batch, plan, _planned(batch.read(place), now)))


def _known(document: Recipe | None) -> Recipe | None:
    """Return a recipe to change; Unreadable for one of a newer format, of which a change would lose something."""
    if document and FORMAT in document:
        raise Unreadable(f"recipe {document['id']}: {newer_format(document[FORMAT])}")
    return document


def _put(batch: Batch, place: Place[E], value: E | None) -> None:
    if value is None:
        batch.delete(place)
    else:
        batch.write(place, value)


def _planned(document: Recipe | None, now: datetime) -> Plan | None:
    try:
        return plan_of(read(document), now) if document else None
    except BadRecipe:
        return None
