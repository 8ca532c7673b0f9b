"""Every route of the console: its pages and forms."""

from functions.handlers.console.pages import (
    audience,
    audit,
    cadence,
    calendar,
    campaigns,
    compose,
    control,
    execution,
    executions,
    help_page,
    move,
    overview,
    people,
    recipe_edit,
    recipes,
    review,
    run,
    schedule,
    segments,
    send_once,
    test_people,
)
from functions.handlers.console.visit import Route

_PAGES = (
    *(overview, executions, send_once, execution, control, campaigns, recipes, recipe_edit, compose, schedule),
    *(move, audience, segments, review, run, test_people, calendar, people, cadence, audit, help_page),
)

ROUTES: tuple[Route, ...] = tuple(route for page in _PAGES for route in page.ROUTES)
