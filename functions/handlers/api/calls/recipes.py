"""Recipes: list, create, read, change, remove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from functions.domain.documents import shown
from functions.domain.errors import BadFields, FieldCode, FieldError
from functions.domain.ids import RECIPE_ID
from functions.domain.recipe.first_send import Underway
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.status import Status
from functions.domain.roles import Role
from functions.handlers.api.recipe_schema import (
    ChangesOfMany,
    ChangesOfOne,
    RecipeChanges,
    RecipeDocument,
    StoredRecipe,
)
from functions.handlers.api.route import Call, Model, Page, Paging, Query, Reply, Route
from functions.handlers.http.codes import ErrorCode
from functions.handlers.http.errors import refusal
from functions.handlers.http.paging import broken_cursor
from functions.usecases.recipes.launched_sends import launched_sends
from functions.usecases.recipes.save import create_recipe, delete_recipe, stored_recipe, update_recipe, version_of
from functions.usecases.reports.field_at_fault import FieldAtFault, fields_at_fault
from functions.usecases.reports.recipes import list_recipes, shown_recipe

_AT = "/api/automation/recipes"
_MOST_AT_ONCE = 100


class RecipeList(Paging):
    """Which recipes to list."""

    status: Status | None = Field(default=None, description="Only those of this status.")


class Changing(Query):
    """What to do with a running execution if the change moves its send. Without it, such a change is answered 409."""

    underway: Underway | None = Field(
        default=None,
        description="keep: today's send goes out as it is, and the new schedule starts tomorrow. "
        "replace: it is cancelled, and the new schedule starts with its next send that can be prepared.",
    )


class BulkUpdate(Model):
    """Changes of several recipes: `recipes`, each with its id, or the same `updates` for all `recipeIds`."""

    recipes: list[ChangesOfOne] = Field(default=[], max_length=_MOST_AT_ONCE)
    recipe_ids: list[str] = Field(default=[], max_length=_MOST_AT_ONCE)
    updates: ChangesOfMany = Field(default={})


@dataclass(frozen=True, kw_only=True)
class Updated:
    """The result for one recipe of a bulk update."""

    recipe_id: str
    success: bool
    code: ErrorCode | None
    """Why it was not changed; null if it was."""
    message: str
    errors: Sequence[FieldAtFault]


@dataclass(frozen=True, kw_only=True)
class BulkUpdated:
    """The result for each recipe."""

    updated: int
    failed: int
    results: Sequence[Updated]


@dataclass(frozen=True, kw_only=True)
class Removed:
    """The deleted recipe, and the executions before T-0 that were cancelled with it."""

    recipe_id: str
    cancelled: Sequence[str]


def get_recipes(call: Call) -> Reply:
    """Answer a page of recipes."""
    asked: RecipeList = call.query
    if asked.cursor and not RECIPE_ID.fullmatch(asked.cursor):
        raise broken_cursor()
    found, following = list_recipes(call.ports, status=asked.status, after=asked.cursor, most=asked.limit)
    return Reply(data=found, page=Page(limit=asked.limit, next=following))


def post_recipe(call: Call) -> Reply:
    """Create a recipe, and answer it."""
    recipe = create_recipe(call.ports, call.body.root, by=call.caller.name)
    location = {"Location": f"{_AT}/{recipe.id}"}
    return changed(call, recipe, f"recipe {recipe.id} is created", status=201, headers=location)


def put_recipes(call: Call) -> Reply:
    """Change several recipes independently: an error of one does not affect the others."""
    asked: BulkUpdate = call.body
    wanted = [*asked.recipes, *({**asked.updates, "id": recipe_id} for recipe_id in asked.recipe_ids)]
    if not wanted:
        raise BadFields([FieldError("recipes", "is empty, as is recipeIds: name at least one recipe")])
    results = [_update_one(call, changes) for changes in wanted]
    updated = sum(result.success for result in results)
    data = BulkUpdated(updated=updated, failed=len(results) - updated, results=results)
    return Reply(data=data, message=f"{updated} of {len(results)} recipes are changed")


def get_recipe(call: Call) -> Reply:
    """Answer one recipe, with its ETag."""
    document = stored_recipe(call.ports, call.path["recipeId"])
    return Reply(data=_shown(call, document), etag=version_of(document))


def put_recipe(call: Call) -> Reply:
    """Change a recipe and its schedule, unless the stored version differs from the client's."""
    named = call.body.root.get("id")
    if named not in (None, "", call.path["recipeId"]):
        raise BadFields([FieldError("id", f"is {shown(named)} in the body and another one in the address")])
    recipe = update_recipe(
        call.ports,
        call.path["recipeId"],
        call.body.root,
        by=call.caller.name,
        versions=call.if_match,
        underway=call.query.underway,
    )
    return changed(call, recipe, f"recipe {recipe.id} is changed")


def remove_recipe(call: Call) -> Reply:
    """Remove a recipe and its schedule."""
    recipe_id = call.path["recipeId"]
    cancelled = delete_recipe(call.ports, recipe_id, by=call.caller.name, versions=call.if_match)
    data = Removed(recipe_id=recipe_id, cancelled=[execution.id for execution in cancelled])
    return Reply(data=data, message=f"recipe {recipe_id} is removed")


def changed(call: Call, recipe: Recipe, message: str, **more: Any) -> Reply:
    """Return the answer to a change of a recipe: the stored recipe, with notices."""
    document = recipe.document()
    text = "; ".join([message, *recipe.notices, *recipe.effects])
    return Reply(data=_shown(call, document), message=text, etag=version_of(document), **more)


def _shown(call: Call, document: Mapping[str, Any]) -> Mapping[str, Any]:
    now = call.ports.clock.now()
    return shown_recipe(document, now, launched_sends(call.ports, now, document["id"]))


def _update_one(call: Call, changes: Mapping[str, Any]) -> Updated:
    recipe_id = changes.get("id", changes.get("recipeId"))
    if not isinstance(recipe_id, str):
        missing = FieldError("id", "is missing", FieldCode.MISSING)
        return _failed("", ErrorCode.INVALID_FIELDS, str(missing), [missing])
    named = {name: value for name, value in changes.items() if name != "recipeId"}
    try:
        recipe = update_recipe(call.ports, recipe_id, named, by=call.caller.name, underway=call.query.underway)
    except Exception as error:
        known = refusal(error)
        if known is None:
            raise
        return _failed(recipe_id, known.code, known.message, known.errors)
    text = "; ".join(["changed", *recipe.notices, *recipe.effects])
    return Updated(recipe_id=recipe_id, success=True, code=None, message=text, errors=[])


def _failed(recipe_id: str, code: ErrorCode, message: str, errors: Sequence[FieldError]) -> Updated:
    faults = fields_at_fault(errors)
    return Updated(recipe_id=recipe_id, success=False, code=code, message=message, errors=faults)


ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.VIEWER,
        summary="List recipes, in order of their ids",
        serve=get_recipes,
        query=RecipeList,
        answer=list[StoredRecipe],
        paged=True,
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.OPERATOR,
        summary="Create a recipe",
        serve=post_recipe,
        body=RecipeDocument,
        answer=StoredRecipe,
        status=201,
        refusals=(409,),
    ),
    Route(
        method="PUT",
        path=_AT,
        least=Role.OPERATOR,
        summary="Change several recipes",
        serve=put_recipes,
        query=Changing,
        body=BulkUpdate,
        answer=BulkUpdated,
    ),
    Route(
        method="GET",
        path=f"{_AT}/{{recipeId}}",
        least=Role.VIEWER,
        summary="Read a recipe",
        serve=get_recipe,
        answer=StoredRecipe,
        etag=True,
    ),
    Route(
        method="PUT",
        path=f"{_AT}/{{recipeId}}",
        least=Role.OPERATOR,
        summary="Change a recipe, and reschedule it",
        serve=put_recipe,
        query=Changing,
        body=RecipeChanges,
        answer=StoredRecipe,
        etag=True,
        refusals=(409,),
    ),
    Route(
        method="DELETE",
        path=f"{_AT}/{{recipeId}}",
        least=Role.OPERATOR,
        summary="Remove a recipe and its schedule",
        serve=remove_recipe,
        answer=Removed,
        etag=True,
        refusals=(409,),
    ),
)
