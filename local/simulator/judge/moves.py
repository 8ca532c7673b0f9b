"""Moved sends: a send goes out at its own time or at the one that it was moved to, never at both."""

from collections.abc import Callable

from functions.domain.execution.execution import Execution, Kind, State


class Moves:
    """Remembers which sends people move, and which executions of a recipe went live."""

    def __init__(self, broken: Callable[[str, str], None]) -> None:
        self._broken = broken
        self._own: dict[str, str] = {}
        self._live: set[tuple[str, str]] = set()

    def asked(self, execution_id: str) -> None:
        """Note that a person asks to move the send of an execution."""
        recipe_id, _, at = execution_id.rpartition("_")
        self._own[f"{recipe_id}-moved-{at[:13]}Z"] = execution_id

    def observe(self, call: str, answer: object) -> None:
        """Check an execution that has just gone live."""
        if call != "executions.change" or not isinstance(answer, Execution) or answer.kind is not Kind.SCHEDULED:
            return
        if answer.state is not State.LIVE:
            return
        self._live.add((answer.recipe_id, answer.id))
        for copy, own in self._own.items():
            sent = [each for recipe_id, each in self._live if each == own or recipe_id == copy]
            if len(sent) > 1 and (answer.id == own or answer.recipe_id == copy):
                self._broken(answer.id, f"a send that was moved went out twice: {', '.join(sorted(sent))}")
