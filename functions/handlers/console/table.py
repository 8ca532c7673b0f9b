"""Every page of the console, and everything that its forms do."""

from functions.handlers.console.pages import control, execution, executions, overview
from functions.handlers.console.visit import Route

ROUTES: tuple[Route, ...] = (*overview.ROUTES, *executions.ROUTES, *execution.ROUTES, *control.ROUTES)
