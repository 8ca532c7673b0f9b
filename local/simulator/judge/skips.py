"""Skipped sends: once a person was told that a send is skipped, it never goes live, unless the skip is taken back."""

from collections import Counter, defaultdict
from collections.abc import Callable

from local.simulator.judge.contract import Contract

_REPLACES = ("edit", "move", "delete", "restore")
"""Changes that take skips back: the document that they save has none."""

_SKIPS = ("skip", "shift")
_WHY = "its send had been skipped before"


class Skips:
    """Remembers the accepted skips of each recipe, and tells the contract about them."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._skipped: dict[str, set[str]] = defaultdict(set)
        self._replaced: Counter[str] = Counter()
        self._replacing: Counter[str] = Counter()

    def begin(self, kind: str, recipe_id: str, execution_id: str) -> Callable[[bool | None], None]:
        """Note that a person's request begins; return the function to call with its result.

        A skip holds only if no request that takes skips back was under way at the same time.
        """
        replaces = kind in _REPLACES
        if replaces:
            self._replacing[recipe_id] += 1
            self._take_back(recipe_id)
        replaced = self._replaced[recipe_id]

        def settle(accepted: bool | None) -> None:
            if replaces:
                self._replacing[recipe_id] -= 1
                self._take_back(recipe_id)
            alone = not self._replacing[recipe_id] and replaced == self._replaced[recipe_id]
            if accepted and kind in _SKIPS and alone:
                self._skipped[recipe_id].add(execution_id)
                self._contract.doom_unless_live(execution_id, _WHY)

        return settle

    def _take_back(self, recipe_id: str) -> None:
        self._replaced[recipe_id] += 1
        for identity in self._skipped.pop(recipe_id, ()):
            self._contract.spare(identity, _WHY)
