"""Every route of the console: its pages and forms."""

from functions.handlers.console.pages import (
    audit,
    cadence,
    calendar,
    control,
    execution,
    executions,
    overview,
    recipe_edit,
    recipes,
    review,
    run,
    test_people,
)
from functions.handlers.console.visit import Route

_PAGES = (
    overview,
    executions,
    execution,
    control,
    recipes,
    recipe_edit,
    review,
    run,
    test_people,
    calendar,
    cadence,
    audit,
)

ROUTES: tuple[Route, ...] = tuple(route for page in _PAGES for route in page.ROUTES)
