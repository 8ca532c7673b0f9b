"""Find the shortest run that still breaks the contract in the same way: the same seed with fewer faults."""

from collections.abc import Callable, Sequence

from local.simulator.judge.run_log import Outcome, kind_of
from local.simulator.play.chance import Injected

MOST_RUNS = 400
"""After this number of runs, the shortest one so far is the result."""

Play = Callable[[Sequence[Injected]], Outcome]


def shrink(outcome: Outcome, play: Play, *, most_runs: int = MOST_RUNS) -> Outcome:
    """Return the run with the fewest faults that still breaks; without any one of them it passes.

    Delta debugging after Zeller: remove halves of the faults, then quarters, and so on down to single ones.
    """
    return _Shrinking(outcome, play, most_runs).result()


class _Shrinking:
    def __init__(self, outcome: Outcome, play: Play, most_runs: int) -> None:
        self._best, self._play, self._runs_left = outcome, play, most_runs
        self._kind = kind_of(outcome.breaches[0])

    def result(self) -> Outcome:
        size = max(1, len(self._best.injected) // 2)
        while True:
            smaller = self._without_parts(size)
            if size == 1 and not smaller:
                return self._best
            size = max(1, size // 2) if not smaller or size > len(self._best.injected) else size

    def _without_parts(self, size: int) -> bool:
        """Leave parts of that size out, one after the other; return whether any could be left out."""
        shorter, start = False, 0
        while start < len(self._best.injected) and self._runs_left > 0:
            faults = self._best.injected
            self._runs_left -= 1
            tried = self._play([*faults[:start], *faults[start + size :]])
            if tried.breaches and kind_of(tried.breaches[0]) == self._kind:
                self._best, shorter = tried, True
            else:
                start += size
        return shorter
