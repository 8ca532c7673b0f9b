"""How time and memory grow from ten thousand to ten million users, without a network.

Measured are the partition index of the audience file, the planning of shards, and for each shard reading, rendering,
reserving and recording.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.campaign import DUE, EXECUTION_ID, go_live, opened, write_user_data
from bench.figures import Figures, say, table
from bench.history import LETS_ALL_THROUGH, write_history
from bench.process import Usage, run_alone
from functions.domain.audience.partition import index
from functions.ports import Ports
from functions.usecases.timeline.send_push import plan_shards
from functions.usecases.timeline.send_shard import send_shard

_SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_QUICK_SIZES = (1_000, 10_000, 50_000)
_LONGEST_SECONDS = 120
"""If all shards would take longer, only a sample is sent."""
_PARTS = ("index_seconds", "plan_seconds", "shards_seconds")


def measure(*, quick: bool) -> Figures:
    """Return seconds by size, the exponents of their growth, and the peak memory of the largest shard."""
    sizes = _QUICK_SIZES if quick else _SIZES
    say(f"Growth from {sizes[0]:,} to {sizes[-1]:,} users, one core, no network")
    answers = []
    for users in sizes:
        with TemporaryDirectory(prefix="tminus-bench-") as folder:
            run_alone("bench.growth:prepare", {"folder": folder, "users": users})
            taken = run_alone("bench.growth:take", {"folder": folder})
            answers.append({**taken, "users": users})
    _show(answers)
    exponents = {part: _exponent(sizes, [answer[part] for answer in answers]) for part in _PARTS}
    totals = [sum(answer[part] for part in _PARTS) for answer in answers]
    figures: Figures = {
        "growth_exponent": _exponent(sizes, totals),
        "growth_exponent_largest_two_sizes": _exponent(sizes[-2:], totals[-2:]),
        "growth_exponents": exponents,
        "growth": answers,
    }
    parts = ", ".join(f"{part.removesuffix('_seconds')} {value}" for part, value in exponents.items())
    say(
        f"  time grows with users to the power of {figures['growth_exponent']} ({parts});"
        f" between the two largest sizes {figures['growth_exponent_largest_two_sizes']}"
    )
    return figures


def prepare(folder: str, users: int) -> None:
    """Run a campaign until its shards are due, with a week of earlier pushes in the ledger."""
    write_user_data(Path(folder) / "data", users)
    go_live(Path(folder))
    with opened(Path(folder), DUE["send_shard"]) as system:
        write_history(system.ports, LETS_ALL_THROUGH)


def take(folder: str) -> dict[str, Any]:
    """Index the audience, plan and send its shards; return seconds for all, the sampled share, a shard's MiB."""
    with opened(Path(folder), DUE["send_shard"]) as system:
        ports = system.ports
        files = ports.shards.push(EXECUTION_ID, 1)
        if files is None:
            raise RuntimeError("the audience is not built")
        usage = Usage()
        index(ports.files.lines(files.live.rows.stored), files.live.rows.stored.name)
        index_seconds = usage.document()["seconds"]
        usage = Usage()
        plan_shards(files, most_rows=ports.policy.shard_rows)
        plan_seconds = usage.document()["seconds"]
        return {
            "index_seconds": index_seconds,
            "plan_seconds": plan_seconds,
            **_send_all(ports, files.live.size),
        }


def _send_all(ports: Ports, size: int) -> dict[str, float]:
    """Send all shards, or evenly spaced ones if all would take too long."""
    numbers = [shard.number for shard in ports.shards.of(EXECUTION_ID) if not shard.test]
    first = _send(ports, numbers[0])
    every = max(1, math.ceil(first["seconds"] * len(numbers) / _LONGEST_SECONDS))
    taken = [first, *(_send(ports, number) for number in numbers[every::every])]
    rows, seconds = (sum(shard[name] for shard in taken) for name in ("rows", "seconds"))
    return {
        "shards_seconds": seconds * size / rows,
        "shards_us_per_row": seconds / rows * 1e6,
        "sampled_share": rows / size,
        "shard_rows": first["rows"],
        "shard_peak_mib": first["peak_mib"],
        "shard_before_mib": first["before_mib"],
    }


def _send(ports: Ports, number: int) -> dict[str, float]:
    usage = Usage()
    shard = send_shard(ports, EXECUTION_ID, 1, number)
    if shard is None or shard.tally.sent != shard.tally.audience_size:
        raise RuntimeError(f"shard {number} was not sent correctly: {shard and shard.tally}")
    return {**usage.document(), "rows": shard.tally.sent}


def _exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the slope of log(seconds) over log(sizes), by least squares."""
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return round(above / sum((a - mean_x) ** 2 for a in x), 3)


def _show(answers: list[dict[str, Any]]) -> None:
    header = "users index-s plan-s shards-s us/row rows/shard MiB-before MiB-peak sampled".split()
    names = ("shards_seconds", "shards_us_per_row", "shard_rows", "shard_before_mib", "shard_peak_mib")
    rows = []
    for answer in answers:
        start = [f"{answer['users']:,}", answer["index_seconds"], f"{answer['plan_seconds']:.4f}"]
        rows.append([*start, *(answer[name] for name in names), f"{answer['sampled_share']:.0%}"])
    table(header, rows)
    if any(answer["sampled_share"] < 1 for answer in answers):
        say(f"  sampled: a full pass would take over {_LONGEST_SECONDS} s; seconds are projected to all rows")
