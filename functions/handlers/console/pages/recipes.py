"""All recipes, and one: what it sends to whom and when, what it has sent, and what can be done to it."""

from itertools import islice
from typing import Any

from flask import Response

from audience_jobs.errors import AudienceJobError
from functions.domain.documents import shown
from functions.domain.errors import BadInput, BadRecipe
from functions.domain.ids import RECIPE_ID
from functions.domain.recipe import Document, Recipe, read
from functions.domain.roles import Role
from functions.domain.schedule import sends_from
from functions.domain.status import Status
from functions.handlers.console.answering import page, to
from functions.handlers.console.charts import sparkline
from functions.handlers.console.schedule_words import in_words
from functions.handlers.console.visit import Route, Visit
from functions.ports import ExecutionSearch
from functions.usecases.check_recipe import audience_of
from functions.usecases.list_recipes import list_recipes, shown_recipe
from functions.usecases.recipe_audience import describe_audience, recipe_job
from functions.usecases.recipes import delete_recipe, pause_recipe, resume_recipe, stored_recipe, version_of
from functions.usecases.sample_messages import sample_messages
from functions.usecases.show_executions import find_executions

AT = "/recipes/<recipe_id>"
_AT_ONCE = 50
_NEXT_SENDS = 5
_HISTORY = 12
_DONE = {
    "created": "Created.",
    "changed": "Saved. It holds from the next start on; an execution under way keeps what it began with.",
    "paused": "Paused. It will not start; an execution before T-0 was cancelled.",
    "resumed": "Resumed. It starts again at its next time.",
}


def show_all(visit: Visit) -> Response:
    """Show recipes, page by page."""
    status, after = visit.asked("status"), visit.asked("after")
    if status and status not in list(Status):
        raise BadInput(f"there is no status {status!r}; there are {', '.join(Status)}")
    if after and not RECIPE_ID.fullmatch(after):
        raise BadInput("this address of a page is broken; begin with the first recipes")
    wanted = Status(status) if status else None
    found, following = list_recipes(visit.ports, status=wanted, after=after, most=_AT_ONCE)
    recipes = [_listed(visit, document) for document in found]
    statuses = [each.value for each in Status]
    return page(
        visit, "recipes.html", recipes=recipes, wanted=status, after=after, following=following, statuses=statuses
    )


def _listed(visit: Visit, document: Document) -> dict[str, Any]:
    nothing = {"name": "", "problem": "", "nextSendAt": None, "words": "", "zone": "UTC", "pushes": 0}
    try:
        recipe = read(document)
    except BadRecipe:
        told = shown_recipe(document, visit.now)
        name = told.get("name")
        return {
            **nothing,
            "id": told["id"],
            "name": name if isinstance(name, str) else "",
            "status": told["status"],
            "problem": told["problem"],
        }
    following = next(sends_from(recipe.schedule, visit.now), None) if recipe.is_active else None
    return {
        **nothing,
        "id": recipe.id,
        "name": recipe.name,
        "status": recipe.status.value,
        "nextSendAt": following,
        "words": in_words(recipe),
        "zone": recipe.schedule.zone.key,
        "pushes": len(recipe.pushes),
    }


def show(visit: Visit) -> Response:
    """Show a recipe."""
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    history = find_executions(visit.ports, ExecutionSearch(recipe_id=recipe_id), most=_HISTORY).executions
    told: dict[str, Any] = {
        "history": history,
        "outcome": _DONE.get(visit.asked("told")),
        "version": version_of(document),
    }
    try:
        recipe = read(document)
    except BadRecipe as error:
        return page(visit, "recipe_broken.html", **told, document=document, recipe_id=recipe_id, broken=error.errors)
    sizes = [each["totals"]["audienceSize"] for each in reversed(history) if each["totals"]]
    return page(
        visit,
        "recipe.html",
        **told,
        recipe=recipe,
        description=_as_text(document.get("description")),
        words=in_words(recipe),
        sends=list(islice(sends_from(recipe.schedule, visit.now), _NEXT_SENDS)),
        samples=sample_messages(visit.ports, recipe, _latest_built(history)),
        sizes=sizes,
        line=sparkline(sizes),
        **_audience(visit, recipe),
    )


def _as_text(value: Any) -> str:
    """Return a field that may hold anything as text; empty where it holds nothing."""
    return value if isinstance(value, str) else shown(value) if value else ""


def _latest_built(history: Any) -> str:
    built = (each["executionId"] for each in history if each["totals"] or each["phase"])
    return next(built, "")


def _audience(visit: Visit, recipe: Recipe) -> dict[str, Any]:
    """Return whom the recipe is for, and what each variable of each push stands for."""
    try:
        job, arguments = recipe_job(recipe, visit.ports.find_job)
        audiences = [audience_of(job, push, position) for position, push in enumerate(recipe.pushes)]
        columns = {column.name: column for audience in audiences for column in audience.columns}
        whom, problem = describe_audience(recipe), ""
    except (BadRecipe, AudienceJobError, ValueError) as error:
        return {"job": None, "arguments": {}, "columns": {}, "whom": "", "problem": str(error)}
    return {"job": job, "arguments": arguments, "columns": columns, "whom": whom, "problem": problem}


def pause(visit: Visit) -> Response:
    """Pause a recipe, and cancel what is before T-0."""
    pause_recipe(visit.ports, visit.path["recipe_id"], by=visit.caller.name)
    return to(visit, f"/recipes/{visit.path['recipe_id']}", told="paused")


def resume(visit: Visit) -> Response:
    """Let a recipe send again."""
    resume_recipe(visit.ports, visit.path["recipe_id"], by=visit.caller.name)
    return to(visit, f"/recipes/{visit.path['recipe_id']}", told="resumed")


def ask_delete(visit: Visit) -> Response:
    """Ask whether to delete a recipe."""
    recipe_id = visit.path["recipe_id"]
    document = stored_recipe(visit.ports, recipe_id)
    return page(visit, "recipe_delete.html", document=document, recipe_id=recipe_id)


def delete(visit: Visit) -> Response:
    """Delete a recipe; its executions and its audit log stay."""
    delete_recipe(visit.ports, visit.path["recipe_id"], by=visit.caller.name)
    return to(visit, "/recipes")


ROUTES = (
    Route(method="GET", path="/recipes", serve=show_all),
    Route(method="GET", path=AT, serve=show),
    Route(method="POST", path=f"{AT}/pause", serve=pause, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/resume", serve=resume, least=Role.OPERATOR),
    Route(method="GET", path=f"{AT}/delete", serve=ask_delete, least=Role.OPERATOR),
    Route(method="POST", path=f"{AT}/delete", serve=delete, least=Role.OPERATOR),
)
