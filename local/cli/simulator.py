"""`python -m local.simulator`: play seeds with faults, soak, and prove that the simulator can fail."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from local.embedded.clock import RealClock
from local.simulator.play.entry_points import hush
from local.simulator.play.faults import LEVELS
from local.simulator.play.simulation import simulate
from local.simulator.play.tapped import TAPPED
from local.simulator.proof.batch import Sums, command_of, explain, play_forced, playing
from local.simulator.proof.call_sites import call_sites
from local.simulator.proof.defects import DEFECTS
from local.simulator.proof.prove import document, hunt_all, hunt_share, share_of_the_day

_MOST_EXPLAINED = 3
_REPORT_EVERY_SECONDS = 30
_OUT = Path("bench/out")
_level = click.option("--faults", "level", type=click.Choice(LEVELS), default="harsh", show_default=True)


@click.group(invoke_without_command=True)
@click.option("--seed", type=int, help="Play this seed, and print the shortest story of its breach, if it has one.")
@click.option("--log", "whole", is_flag=True, help="Print the whole log of the run instead.")
@_level
@click.pass_context
def simulator(context: click.Context, seed: int | None, whole: bool, level: str) -> None:
    """Play days of faults on the real functions, and hold the delivery contract against them."""
    if context.invoked_subcommand is not None:
        return
    hush()
    if seed is None:
        raise click.UsageError("give --seed N, or one of the commands soak, fresh and prove")
    outcome = simulate(seed, level=level)
    if whole:
        click.echo(outcome.text(), nl=False)
    elif outcome.breaches:
        click.echo(explain(seed, level))
    else:
        counts = f"{outcome.executions} executions, {outcome.messages} messages, {len(outcome.injected)} faults"
        click.echo(f"seed {seed}: the contract held; {counts}")
    sys.exit(bool(outcome.breaches))


@simulator.command()
@click.option("--runs", default=2_000, show_default=True, help="How many days.")
@click.option("--first", default=1, show_default=True, help="The first seed.")
@_level
def soak(runs: int, first: int, level: str) -> None:
    """Play many days, and write bench/out/soak.json; each call of a port must have been crashed at."""
    started = time.perf_counter()
    sums, _ = _play(range(first, first + runs), level, seconds=None)
    forced = _crash_at_the_rest(sums, level)
    seconds = time.perf_counter() - started
    missing = sums.missing
    _write(_OUT / "soak.json", _soak_document(sums, seconds, level, forced))
    for site in missing:
        click.echo(f"never crashed at: {site}")
    _finish(sums, seconds, level, failed=bool(missing))


@simulator.command()
@click.option("--seconds", default=150.0, show_default=True, help="How long to play.")
@click.option("--first", type=int, help="The first seed. [default: the time]")
@_level
def fresh(seconds: float, first: int | None, level: str) -> None:
    """Play new seeds for a number of seconds."""
    begin = int(RealClock().now().timestamp()) * 1_000 if first is None else first
    sums, taken = _play(range(begin, begin + 100_000), level, seconds=seconds)
    _finish(sums, taken, level, failed=False)


@simulator.command()
@click.option("--share", "some", is_flag=True, help="Hunt the day's share of them, once each, and write nothing.")
def prove(some: bool) -> None:
    """Hunt every planted defect, and write bench/out/planted.json."""
    started, hunts = time.perf_counter(), []
    share = share_of_the_day(RealClock().now().date()) if some else DEFECTS
    if some:
        click.echo(f"the day's share: {', '.join(defect.name for defect in share)}")
    for hunt in hunt_share(share) if some else hunt_all():
        hunts.append(hunt)
        taken = f"{hunt.median_seeds:g} seeds" if hunt.median_seeds is not None else f"NOT FOUND {hunt.seeds}"
        click.echo(f"{taken:>12}  {hunt.name}: {hunt.found_by}")
    written = document(hunts, time.perf_counter() - started)
    if not some:
        _write(_OUT / "planted.json", written)
    click.echo(f"{written['caught']} of {written['planted']} planted defects found in {written['seconds']:.0f} s")
    sys.exit(written["caught"] < written["planted"])


def _crash_at_the_rest(sums: Sums, level: str) -> int:
    """Crash at each call of a port at which chance let no process die, and return how many calls that were."""
    crashed = len(sums.sites_crashed)
    for played in play_forced(sums.to_crash_at, level):
        for breach in played.breaches[:1]:
            click.echo(f"seed {played.seed} with a forced crash: {breach.what}", err=True)
        sums.add(played)
    forced = len(sums.sites_crashed) - crashed
    if forced:
        click.echo(f"{forced} calls were crashed at on purpose, as chance had left them out")
    return forced


def _play(seeds: range, level: str, *, seconds: float | None) -> tuple[Sums, float]:
    """Play seeds, at most so long; the pool looks ahead only a little, so that it ends in time."""
    sums, started = Sums(), time.perf_counter()
    report_at = _REPORT_EVERY_SECONDS
    with playing(seeds, level) as outcomes:
        for played in outcomes:
            sums.add(played)
            if played.breaches:
                click.echo(f"seed {played.seed}: {played.breaches[0].what}", err=True)
            taken = time.perf_counter() - started
            if taken > report_at:
                click.echo(f"{taken:4.0f} s: {sums.runs:,} runs, {len(sums.broken)} broke the contract", err=True)
                report_at += _REPORT_EVERY_SECONDS
            if seconds is not None and taken > seconds:
                break
    return sums, time.perf_counter() - started


def _finish(sums: Sums, seconds: float, level: str, *, failed: bool) -> None:
    counts = f"{sums.executions:,} executions, {sums.messages:,} messages, {sum(sums.faults.values()):,} faults"
    click.echo(f"{sums.runs:,} runs in {seconds:.0f} s: {counts}; {len(sums.broken)} broke the contract")
    for seed in sums.broken[:_MOST_EXPLAINED]:
        click.echo(explain(seed, level))
    for seed in sums.broken[_MOST_EXPLAINED:]:
        click.echo(f"broken too: {command_of(seed, level)}")
    sys.exit(bool(sums.broken) or failed)


def _soak_document(sums: Sums, seconds: float, level: str, forced: int) -> dict[str, Any]:
    sites = call_sites(TAPPED)
    return {
        "runs": sums.runs,
        "violations": len(sums.broken),
        "seconds": round(seconds, 1),
        "faults": level,
        "executions": sums.executions,
        "messages": sums.messages,
        "port_calls": sums.calls,
        "faults_injected": dict(sorted(sums.faults.items())),
        "fault_points_covered": len(sites) - len(sums.missing),
        "fault_points": len(sites),
        "fault_points_forced": forced,
        "missing": [str(site) for site in sums.missing],
        "broken_seeds": sums.broken,
    }


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")
