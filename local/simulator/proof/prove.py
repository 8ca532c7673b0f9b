"""Prove that the simulator can fail: it has to find each planted defect within a bounded number of seeds."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context
from statistics import median
from typing import Any

from local.simulator.judge.run_log import kind_of
from local.simulator.play.entry_points import hush
from local.simulator.play.simulation import simulate
from local.simulator.proof.defect import Defect
from local.simulator.proof.defects import DEFECTS

MOST_SEEDS = 400
ROUNDS = 3
"""How often each defect is hunted, each time with other seeds, to get a meaningful median."""
SHARE, SHARE_SEEDS = 7, 100
"""How many defects CI hunts on a day, and within how many seeds each has to be found."""
_FAR_APART = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Hunt:
    """The hunt of a defect: the number of seeds each time, None if it was not found, and what it broke.

    `found_by` is a breach in the defect's own sentence. `broke_too` counts the seeds that broke only in other words,
    which do not count as finds.
    """

    name: str
    means: str
    seeds: tuple[int | None, ...]
    found_by: str
    broke_too: Mapping[str, int] = field(default_factory=dict)

    @property
    def caught(self) -> bool:
        """Whether it was found each time."""
        return all(taken is not None for taken in self.seeds)

    @property
    def median_seeds(self) -> float | None:
        """The median number of seeds."""
        return median(taken for taken in self.seeds if taken is not None) if self.caught else None


def hunt_all(*, most_seeds: int = MOST_SEEDS, rounds: int = ROUNDS) -> Iterator[Hunt]:
    """Hunt every defect on all cores, and yield each hunt as soon as it ends."""
    work = [(number, most_seeds, rounds) for number in range(len(DEFECTS))]
    with get_context("spawn").Pool(os.cpu_count(), initializer=hush) as pool:
        yield from pool.imap_unordered(_hunt, work)


def hunt_share(share: Sequence[Defect], *, most_seeds: int = SHARE_SEEDS) -> Iterator[Hunt]:
    """Hunt some defects once each on all cores, and yield each hunt as soon as it ends."""
    work = [(DEFECTS.index(defect), most_seeds, 1) for defect in share]
    with get_context("spawn").Pool(os.cpu_count(), initializer=hush) as pool:
        yield from pool.imap_unordered(_hunt, work)


def share_of_the_day(day: date) -> list[Defect]:
    """Return the defects that CI hunts on a day: consecutive days hunt each of them in turn."""
    first = day.toordinal() * SHARE
    return [DEFECTS[number % len(DEFECTS)] for number in range(first, first + SHARE)]


def _hunt(work: tuple[int, int, int]) -> Hunt:
    number, most_seeds, rounds = work
    return hunt(DEFECTS[number], most_seeds=most_seeds, rounds=rounds)


def hunt(defect: Defect, *, most_seeds: int, rounds: int = 1) -> Hunt:
    """Hunt one defect."""
    broke_too: Counter[str] = Counter()
    found = [_first_find(defect, first * _FAR_APART, most_seeds, broke_too) for first in range(1, rounds + 1)]
    told = next((what for _, what in found if what), "")
    seeds = tuple(taken for taken, _ in found)
    return Hunt(name=defect.name, means=defect.means, seeds=seeds, found_by=told, broke_too=broke_too)


def _first_find(defect: Defect, first: int, most_seeds: int, broke_too: Counter[str]) -> tuple[int | None, str]:
    """Return how many seeds it took to find a defect, and what it broke.

    A seed that breaks without the defect does not count. A breach in words other than the defect's is counted in
    `broke_too`, and the hunt continues.
    """
    for taken in range(1, most_seeds + 1):
        favoured = defect.favours if taken % 2 else ()
        with defect.planted():
            breaches = simulate(first + taken, keep_log=False, favoured=favoured).breaches
        if not breaches:
            continue
        own = next((breach.what for breach in breaches if defect.explains(breach)), "")
        if not own:
            broke_too[kind_of(breaches[0])] += 1
        elif not simulate(first + taken, keep_log=False, favoured=favoured).breaches:
            return taken, own
    return None, ""


def document(hunts: Sequence[Hunt], seconds: float) -> Mapping[str, Any]:
    """Return the document of a proof: its hunts and its duration."""
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
                "broke_too": hunt.broke_too,
            }
            for hunt in ordered
        ],
    }
