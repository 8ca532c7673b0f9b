"""Every call of the API. The OpenAPI document is made from this table."""

from functions.handlers.api.calls import (
    about,
    activity,
    audiences,
    builder,
    cadence,
    control,
    devices,
    executions,
    migration,
    monitor,
    recipes,
    segments,
    sends,
    templates,
    testers,
    trials,
    upkeep,
    users,
)
from functions.handlers.api.route import Route

ROUTES: tuple[Route, ...] = (
    *recipes.ROUTES,
    *control.ROUTES,
    *devices.ROUTES,
    *trials.ROUTES,
    *testers.ROUTES,
    *executions.ROUTES,
    *sends.ROUTES,
    *cadence.ROUTES,
    *migration.ROUTES,
    *monitor.ROUTES,
    *templates.ROUTES,
    *audiences.ROUTES,
    *builder.ROUTES,
    *segments.ROUTES,
    *upkeep.ROUTES,
    *activity.ROUTES,
    *users.ROUTES,
    *about.ROUTES,
)
