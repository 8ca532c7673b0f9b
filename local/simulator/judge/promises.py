"""Promises to people: the next send that a recipe shows after a change has to exist, or be explained."""

from collections.abc import Callable
from datetime import datetime, timedelta

from functions.domain.ids import execution_id
from functions.domain.instants import instant
from functions.ports.executions import ExecutionStore
from functions.ports.stores import RecipeStore
from functions.usecases.reports.recipes import shown_recipe

_SLACK = timedelta(minutes=30)
"""After its time, how long a send may take to be recorded, as missed at worst."""


class Promises:
    """Remembers what each recipe showed as its next send; a change before that time explains why it never was."""

    def __init__(self, recipes: RecipeStore, now: Callable[[], datetime]) -> None:
        self._recipes, self._now = recipes, now
        self._current: dict[str, datetime] = {}
        self._due: set[tuple[str, datetime]] = set()

    def note(self, recipe_id: str) -> None:
        """Look at a recipe after a change, as the person who changed it does."""
        self.forget(recipe_id)
        document = self._recipes.get(recipe_id)
        following = shown_recipe(document, self._now()).get("nextSendAt") if document else None
        if following is not None:
            self._current[recipe_id] = instant(following)

    def forget(self, recipe_id: str) -> None:
        """Take back what was promised, as a recipe is about to change; what is overdue stays promised."""
        promised = self._current.pop(recipe_id, None)
        if promised is not None and promised + _SLACK < self._now():
            self._due.add((recipe_id, promised))

    def judge(self, executions: ExecutionStore, now: datetime, broken: Callable[[str, str], None]) -> None:
        """Look for the execution of each promise whose time has come."""
        for recipe_id, promised in sorted(self._due | set(self._current.items())):
            if promised + _SLACK < now and executions.get(execution_id(recipe_id, promised)) is None:
                broken("", f"the send of {recipe_id} at {promised:%Y-%m-%d %H:%M} UTC was promised, and never was")
