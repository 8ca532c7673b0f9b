"""Many seeds on all cores: what `make soak`, `make prove-simulator` and the command line have in common."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

from local.embedded.clock import RealClock
from local.simulator.judge.run_log import Breach, Outcome
from local.simulator.play.entry_points import hush
from local.simulator.play.simulation import simulate
from local.simulator.play.tapped import TAPPED
from local.simulator.proof.call_sites import Site, call_sites
from local.simulator.proof.shrink import shrink
from local.simulator.proof.story import story


@dataclass(frozen=True, kw_only=True)
class Played:
    """The outcome of one run of a batch, without its log."""

    seed: int
    breaches: tuple[Breach, ...]
    faults: Counter[str] = field(default_factory=Counter)
    sites_called: Mapping[Site, str] = field(default_factory=dict)
    sites_crashed: frozenset[Site] = frozenset()
    executions: int = 0
    messages: int = 0
    calls: int = 0


@dataclass(kw_only=True)
class Sums:
    """The sums of many runs."""

    runs: int = 0
    executions: int = 0
    messages: int = 0
    calls: int = 0
    broken: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    sites_called: dict[Site, tuple[int, str]] = field(default_factory=dict)
    sites_crashed: set[Site] = field(default_factory=set)

    def add(self, played: Played) -> None:
        """Add a run."""
        self.runs += 1
        self.executions += played.executions
        self.messages += played.messages
        self.calls += played.calls
        self.broken += [played.seed] if played.breaches else []
        self.faults += played.faults
        self.sites_crashed |= played.sites_crashed
        for site, place in played.sites_called.items():
            self.sites_called.setdefault(site, (played.seed, place))

    @property
    def missing(self) -> list[Site]:
        """The calls of ports at which no process died in any run."""
        return sorted(call_sites(TAPPED) - self.sites_crashed)

    @property
    def to_crash_at(self) -> list[tuple[int, Mapping[str, str]]]:
        """Runs that crash at the missing calls: a seed, and its forced faults, before the call and after it."""
        found = [self.sites_called[site] for site in self.missing if site in self.sites_called]
        return [(seed, {place: kind}) for seed, place in found for kind in ("crash_before", "crash_after")]


def play(seed: int, level: str, forced: Mapping[str, str] | None = None) -> Played:
    """Play one seed. A failure of the simulator itself counts as a breach, and the other seeds continue."""
    try:
        outcome = simulate(seed, level=level, keep_log=False, forced=forced)
    except Exception as error:
        failed = Breach(at=RealClock().now(), execution_id="", what=f"the simulator failed: {error!r}")
        return Played(seed=seed, breaches=(failed,))
    return Played(
        seed=seed,
        breaches=tuple(outcome.breaches),
        faults=Counter(fault.kind for fault in outcome.injected),
        sites_called={site: place for site, place in outcome.sites_called.items() if site in call_sites(TAPPED)},
        sites_crashed=frozenset(outcome.sites_crashed & call_sites(TAPPED)),
        executions=outcome.executions,
        messages=outcome.messages,
        calls=outcome.calls,
    )


@contextmanager
def playing(seeds: Iterable[int], level: str, processes: int | None = None) -> Iterator[Iterator[Played]]:
    """Play seeds in several processes, by default one per core, and yield each outcome as soon as it is known."""
    with get_context("spawn").Pool(processes or os.cpu_count(), initializer=hush) as pool:
        yield pool.imap_unordered(partial(play, level=level), seeds)


def play_forced(runs: Sequence[tuple[int, Mapping[str, str]]], level: str) -> list[Played]:
    """Play seeds with faults that are forced, on all cores."""
    with get_context("spawn").Pool(os.cpu_count(), initializer=hush) as pool:
        return pool.starmap(play, [(seed, level, forced) for seed, forced in runs])


def shortest(seed: int, level: str) -> Outcome:
    """Return the shortest run of a broken seed; the unchanged run if it keeps the contract."""
    hush()
    outcome = simulate(seed, level=level)
    if not outcome.breaches:
        return outcome
    return shrink(outcome, lambda only: simulate(seed, level=level, only=only))


def explain(seed: int, level: str) -> str:
    """Return the shortest trace of a broken seed, in words."""
    return story(shortest(seed, level), command_of(seed, level))


def command_of(seed: int, level: str) -> str:
    """Return the command that plays a seed again."""
    return f".venv/bin/python -m local.simulator --seed {seed} --faults {level}"
