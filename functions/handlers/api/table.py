"""Every call of the API. What is not in this table does not exist; what is, stands in the OpenAPI document."""

from functions.handlers.api.calls import (
    about,
    audiences,
    cadence,
    control,
    devices,
    executions,
    migration,
    monitor,
    recipes,
    sends,
    templates,
    trials,
    upkeep,
)
from functions.handlers.api.route import Route

ROUTES: tuple[Route, ...] = (
    *recipes.ROUTES,
    *control.ROUTES,
    *devices.ROUTES,
    *trials.ROUTES,
    *executions.ROUTES,
    *sends.ROUTES,
    *cadence.ROUTES,
    *migration.ROUTES,
    *monitor.ROUTES,
    *templates.ROUTES,
    *audiences.ROUTES,
    *upkeep.ROUTES,
    *about.ROUTES,
)
