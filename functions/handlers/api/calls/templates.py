"""Templates of recipes."""

from pydantic import AliasChoices, Field

from functions.domain.roles import Role
from functions.handlers.api.calls.recipes import changed
from functions.handlers.api.recipe_schema import RecipeChanges, StoredRecipe
from functions.handlers.api.route import Call, Model, Reply, Route
from functions.usecases.recipes.presets import TemplateShown, create_from_template, templates

_AT = "/api/automation/templates"


class FromTemplate(Model):
    """The template to use, and the fields of its recipe to replace."""

    template_id: str = Field(validation_alias=AliasChoices("templateId", "template"))
    name: str | None = None
    customizations: RecipeChanges = Field(
        default=RecipeChanges({}), description="Fields of the recipe in place of the template's."
    )


def get_templates(call: Call) -> Reply:
    """Answer the templates."""
    return Reply(data=templates(call.ports))


def post_template(call: Call) -> Reply:
    """Create a draft from a template, and answer it."""
    asked: FromTemplate = call.body
    changes = {**asked.customizations.root, **({"name": asked.name} if asked.name else {})}
    recipe = create_from_template(call.ports, asked.template_id, changes, by=call.caller.name)
    location = {"Location": f"/api/automation/recipes/{recipe.id}"}
    return changed(call, recipe, f"recipe {recipe.id} is created", status=201, headers=location)


ROUTES = (
    Route(
        method="GET",
        path=_AT,
        least=Role.VIEWER,
        summary="List templates of recipes",
        serve=get_templates,
        answer=list[TemplateShown],
    ),
    Route(
        method="POST",
        path=_AT,
        least=Role.OPERATOR,
        summary="Create a draft from a template",
        serve=post_template,
        body=FromTemplate,
        answer=StoredRecipe,
        status=201,
        refusals=(404, 409),
    ),
)
