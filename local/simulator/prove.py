"""Proof that the simulator can fail: each planted defect has to be found within a bounded number of seeds."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any

from local.simulator.defects import DEFECTS
from local.simulator.doors import hush
from local.simulator.simulation import simulate

MOST_SEEDS = 400
ROUNDS = 3
"""How often each defect is hunted, with other seeds each time: so that its median says something."""
_FAR_APART = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Hunt:
    """How a defect was hunted: the seeds it took each time, None where they did not suffice, and what it broke."""

    name: str
    means: str
    seeds: tuple[int | None, ...]
    found_by: str

    @property
    def caught(self) -> bool:
        """Whether it was found each time."""
        return all(taken is not None for taken in self.seeds)

    @property
    def median_seeds(self) -> float | None:
        """The median of the seeds that it took."""
        return median(taken for taken in self.seeds if taken is not None) if self.caught else None


def hunt_all(*, most_seeds: int = MOST_SEEDS, rounds: int = ROUNDS) -> Iterator[Hunt]:
    """Hunt every defect, on all cores; what is found comes as it is known."""
    work = [(number, most_seeds, rounds) for number in range(len(DEFECTS))]
    with get_context("spawn").Pool(os.cpu_count(), initializer=hush) as pool:
        yield from pool.imap_unordered(_hunt, work)


def _hunt(work: tuple[int, int, int]) -> Hunt:
    number, most_seeds, rounds = work
    return hunt(number, most_seeds=most_seeds, rounds=rounds)


def hunt(number: int, *, most_seeds: int, rounds: int = 1) -> Hunt:
    """Hunt one defect."""
    defect = DEFECTS[number]
    found = [_first_broken(number, first * _FAR_APART, most_seeds) for first in range(1, rounds + 1)]
    told = next((what for _, what in found if what), "")
    return Hunt(name=defect.name, means=defect.means, seeds=tuple(taken for taken, _ in found), found_by=told)


def _first_broken(number: int, first: int, most_seeds: int) -> tuple[int | None, str]:
    """Return how many seeds it took to find a defect, and what it broke; a seed that breaks without it is no find."""
    for taken in range(1, most_seeds + 1):
        with DEFECTS[number].planted():
            outcome = simulate(first + taken, level="harsh", keep_log=False)
        if outcome.breaches and not simulate(first + taken, level="harsh", keep_log=False).breaches:
            return taken, outcome.breaches[0].what
    return None, ""


def document(hunts: Sequence[Hunt], seconds: float) -> Mapping[str, Any]:
    """Return what is written of a proof."""
    ordered = sorted(hunts, key=lambda hunt: [defect.name for defect in DEFECTS].index(hunt.name))
    return {
        "planted": len(hunts),
        "caught": sum(hunt.caught for hunt in hunts),
        "most_seeds": MOST_SEEDS,
        "rounds": ROUNDS,
        "seconds": round(seconds, 1),
        "defects": [
            {
                "name": hunt.name,
                "means": hunt.means,
                "seeds": list(hunt.seeds),
                "median_seeds": hunt.median_seeds,
                "found_by": hunt.found_by,
            }
            for hunt in ordered
        ],
    }
