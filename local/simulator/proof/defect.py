"""A planted defect: what it breaks, and the change of the code that causes it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from local.simulator.judge.run_log import Breach
from local.simulator.proof.planting import Change


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A planted defect: its name, what it breaks in words, and the changes that cause it.

    `sentence` is a regular expression for the breaches that the defect is planted for. A breach in other words does
    not count as a find. `favours`, some of `swarm.FAVOURS`, names what every second seed of its hunt has a lot of:
    the faults and days without which the defect has no effect.
    """

    name: str
    means: str
    sentence: str
    favours: tuple[str, ...] = ()
    changes: tuple[Change, ...]

    def explains(self, breach: Breach) -> bool:
        """Return whether a breach is in the words of the invariant that the defect breaks."""
        return re.search(self.sentence, breach.what) is not None

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Plant the defect for the duration of the context."""
        with ExitStack() as stack:
            for change in self.changes:
                stack.enter_context(change.made())
            yield
