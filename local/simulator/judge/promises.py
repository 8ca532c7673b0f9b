"""Promises to people: the next send that a recipe shows after a change must happen, or a change must explain it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from functions.domain.ids import execution_id
from functions.domain.instants import instant
from functions.ports.executions import ExecutionStore
from functions.ports.stores import RecipeStore
from functions.usecases.reports.recipes import shown_recipe

_SLACK = timedelta(minutes=30)
"""How long after its time a send may take to be recorded, at worst as missed."""


class Promises:
    """Remembers the next send that each recipe showed. A change before its time explains why it did not happen."""

    def __init__(self, recipes: RecipeStore, now: Callable[[], datetime]) -> None:
        self._recipes, self._now = recipes, now
        self._current: dict[str, datetime] = {}
        self._due: set[tuple[str, datetime]] = set()

    def note(self, recipe_id: str) -> None:
        """Read a recipe after a change, as the person who changed it does."""
        self.forget(recipe_id)
        document = self._recipes.get(recipe_id)
        following = shown_recipe(document, self._now()).get("nextSendAt") if document else None
        if following is not None:
            self._current[recipe_id] = instant(following)

    def forget(self, recipe_id: str) -> None:
        """Drop a recipe's promise, because it is about to change; an overdue promise stays."""
        promised = self._current.pop(recipe_id, None)
        if promised is not None and promised + _SLACK < self._now():
            self._due.add((recipe_id, promised))

    def judge(self, executions: ExecutionStore, now: datetime, broken: Callable[[str, str], None]) -> None:
        """Check that each promise whose time has come has an execution."""
        for recipe_id, promised in sorted(self._due | set(self._current.items())):
            if promised + _SLACK < now and executions.get(execution_id(recipe_id, promised)) is None:
                broken("", f"the send of {recipe_id} at {promised:%Y-%m-%d %H:%M} UTC was promised and is missing")
