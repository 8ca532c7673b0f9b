"""Every route of the console: its pages and forms."""

from functions.handlers.console.pages import (
    audit,
    cadence,
    calendar,
    campaigns,
    control,
    execution,
    executions,
    overview,
    recipe_edit,
    recipes,
    run,
)
from functions.handlers.console.visit import Route

_PAGES = (overview, executions, execution, control, campaigns, recipes, recipe_edit, run, calendar, cadence, audit)

ROUTES: tuple[Route, ...] = tuple(route for page in _PAGES for route in page.ROUTES)
