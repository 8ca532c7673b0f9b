"""Every page of the console, and everything that its forms do."""

from functions.handlers.console.pages import control, execution
from functions.handlers.console.visit import Route

ROUTES: tuple[Route, ...] = (*execution.ROUTES, *control.ROUTES)
