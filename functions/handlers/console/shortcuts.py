"""The console's keyboard shortcuts: the sheet shows them, and `static/shortcuts.js` reads them from it."""

from collections.abc import Sequence
from typing import NamedTuple


class Shortcut(NamedTuple):
    """Keys that are pressed one after the other, and what they do: open the page `path`, or a named action."""

    keys: tuple[str, ...]
    words: str
    path: str = ""
    action: str = ""


SHORTCUTS: Sequence[Shortcut] = (
    Shortcut(("?",), "Show this list", action="help"),
    Shortcut(("/",), "Search on this page", action="search"),
    Shortcut(("j",), "Next row", action="next"),
    Shortcut(("k",), "Previous row", action="previous"),
    Shortcut(("n",), "New campaign", path="/recipes/new"),
    Shortcut(("g", "o"), "Go to the overview", path="/"),
    Shortcut(("g", "c"), "Go to campaigns", path="/recipes"),
    Shortcut(("g", "s"), "Go to sends", path="/executions"),
    Shortcut(("g", "d"), "Go to the calendar", path="/calendar"),
    Shortcut(("g", "p"), "Go to people", path="/people"),
    Shortcut(("g", "f"), "Go to frequency caps", path="/cadence"),
    Shortcut(("g", "a"), "Go to the activity log", path="/audit"),
    Shortcut(("Esc",), "Close", action="close"),
)
