"""Every route of the console: its pages and forms."""

from functions.handlers.console.pages import (
    audit,
    cadence,
    calendar,
    control,
    execution,
    executions,
    overview,
    people,
    recipe_edit,
    recipes,
    run,
    send_once,
)
from functions.handlers.console.visit import Route

_PAGES = (
    overview,
    executions,
    send_once,
    execution,
    control,
    recipes,
    recipe_edit,
    run,
    calendar,
    people,
    cadence,
    audit,
)

ROUTES: tuple[Route, ...] = tuple(route for page in _PAGES for route in page.ROUTES)
