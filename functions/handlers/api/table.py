"""Every call of the API. What is not in this table does not exist; what is, stands in the OpenAPI document."""

from functions.handlers.api.calls import about, cadence, control, executions, migration, recipes, sends, trials
from functions.handlers.api.route import Route

ROUTES: tuple[Route, ...] = (
    *recipes.ROUTES,
    *control.ROUTES,
    *trials.ROUTES,
    *executions.ROUTES,
    *sends.ROUTES,
    *cadence.ROUTES,
    *migration.ROUTES,
    *about.ROUTES,
)
