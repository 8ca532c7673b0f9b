"""Lists of recipes, page by page, with the status and the next send of each."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from functions.domain.errors import BadRecipe
from functions.domain.instants import stamp
from functions.domain.recipe.read import Document, read
from functions.domain.recipe.status import Status, read_status
from functions.ports import Ports
from functions.usecases.recipes.launched_sends import LaunchedSends, next_send

_READ_AT_ONCE = 200


def list_recipes(
    ports: Ports, *, status: Status | None = None, after: str = "", most: int
) -> tuple[list[Document], str | None]:
    """Return a page of recipes in order of their ids, and the id after which the next page begins, or None.

    With a status, only recipes with that status are returned; this may read all recipes.
    """
    found: list[Document] = []
    while True:
        documents = ports.recipes.page(after=after, most=_READ_AT_ONCE if status else most + 1)
        for document in documents:
            listed = with_status(document)
            if status is not None and listed["status"] != status:
                continue
            if len(found) == most:
                return found, found[-1]["id"]
            found.append(listed)
        if status is None or len(documents) < _READ_AT_ONCE:
            return found, None
        after = documents[-1]["id"]


def shown_recipe(
    document: Mapping[str, Any], now: datetime, launched: LaunchedSends = MappingProxyType({})
) -> Document:
    """Return a stored recipe for people, with its explicit status, and its next send or why it cannot run.

    A launched send that has ended, for example by a cancel, is not the next one.
    """
    try:
        recipe = read(document)
    except BadRecipe as error:
        return {**with_status(document), "problem": str(error)}
    following = next_send(recipe, now, launched)
    return {**recipe.document(), "nextSendAt": stamp(following)}


def with_status(document: Mapping[str, Any]) -> Document:
    """Return a stored document with its explicit status, or with the reason why it cannot be read."""
    try:
        status, _ = read_status(document)
    except BadRecipe as error:
        return {**document, "status": str(document.get("status")), "isActive": False, "problem": str(error)}
    return {**document, "status": status.value, "isActive": status is Status.ACTIVE}
