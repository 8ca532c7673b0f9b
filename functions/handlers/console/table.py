"""Every page of the console, and everything that its forms do."""

from functions.handlers.console.pages import control, execution, executions, overview, recipe_edit, recipes, run
from functions.handlers.console.visit import Route

_PAGES = (overview, executions, execution, control, recipes, recipe_edit, run)

ROUTES: tuple[Route, ...] = tuple(route for page in _PAGES for route in page.ROUTES)
