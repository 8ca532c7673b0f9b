"""Every call of the API. What is not in this table does not exist; what is, stands in the OpenAPI document."""

from functions.handlers.api.calls import about, control, executions, recipes, trials
from functions.handlers.api.route import Route

ROUTES: tuple[Route, ...] = (
    *recipes.ROUTES,
    *control.ROUTES,
    *trials.ROUTES,
    *executions.ROUTES,
    *about.ROUTES,
)
