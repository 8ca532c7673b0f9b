"""The whole hot path on one core: read, exclude, reserve, personalise, send and record shards of 20,000 users."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.campaign import DUE, EXECUTION_ID, go_live, opened, write_user_data
from bench.figures import Figures, say, table
from bench.history import HOLDS_SOME_BACK, write_history
from bench.process import run_alone
from bench.sender_clients import warm_up
from bench.sink import LATENCIES_MS, Sink, fcm_settings
from bench.stages import READ, STAGES, Stopwatch, watched
from functions.bootstrap import collect_rarely
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.sender import FcmSender
from functions.usecases.timeline.send_shard import send_shard

_USERS, _QUICK_USERS = 1_000_000, 40_000
_ROUNDS, _QUICK_ROUNDS = 6, 1
_SHARDS_A_ROUND = 2


def measure(sink: Sink, *, quick: bool) -> Figures:
    """Return the messages a second that leave, best of several rounds, and the microseconds of each stage."""
    users, rounds = (_QUICK_USERS, _QUICK_ROUNDS) if quick else (_USERS, _ROUNDS)
    shards = 1 if quick else _SHARDS_A_ROUND
    results: dict[int, list[dict[str, Any]]] = {latency_ms: [] for latency_ms in LATENCIES_MS}
    with TemporaryDirectory(prefix="tminus-bench-") as folder:
        say(f"Hot path: send_shard on one core, audience of {users:,}, a week of earlier pushes in the ledger")
        run_alone("bench.hot_path:prepare", {"folder": folder, "users": users})
        first = 1
        for _ in range(rounds):
            for latency_ms in LATENCIES_MS:
                numbers = list(range(first, first + shards))
                first += shards
                answer = run_alone(
                    "bench.hot_path:send", {"folder": folder, "shards": numbers, **sink.arguments(latency_ms)}
                )
                results[latency_ms].append(answer)
    _show(results)
    return _figures(results)


def prepare(folder: str, users: int) -> None:
    """Run a campaign until its shards are due; the rules exclude about one user in 15."""
    write_user_data(Path(folder) / "data", users, gaps=True)
    go_live(Path(folder))
    with opened(Path(folder), DUE["send_shard"]) as system:
        write_history(system.ports, HOLDS_SOME_BACK)


def send(folder: str, shards: list[int], endpoint: str, ca_file: str, credentials_file: str) -> dict[str, Any]:
    """Send shards one after the other, after opening the first connections and getting the access token."""
    sender = FcmSender(fcm_settings(endpoint, ca_file, credentials_file), SystemClock())
    warm_up(sender)
    with opened(Path(folder), DUE["send_shard"], sender) as system:
        collect_rarely()
        watch = Stopwatch()
        ports = watched(system.ports, watch)
        sent = rows = 0
        watch.take(1)
        start = time.perf_counter()
        for number in shards:
            watch.turn(READ)
            shard = send_shard(ports, EXECUTION_ID, 1, number)
            if shard is None or shard.tally.not_reached or shard.tally.unknown or shard.tally.failed:
                raise RuntimeError(f"shard {number} was not sent correctly: {shard and shard.tally}")
            sent, rows = sent + shard.tally.sent, rows + shard.tally.audience_size
        seconds = time.perf_counter() - start
        return {"msgs_per_s": sent / seconds, "sent": sent, "rows": rows, "seconds": seconds, **watch.take(sent)}


def _figures(results: dict[int, list[dict[str, Any]]]) -> Figures:
    best = {
        latency_ms: max(answers, key=lambda answer: answer["msgs_per_s"]) for latency_ms, answers in results.items()
    }
    return {
        "hot_path_msgs_per_s": round(best[0]["msgs_per_s"]),
        "latency_100ms_msgs_per_s": round(best[100]["msgs_per_s"]),
        "hot_path_rounds": {
            f"{latency_ms}ms": [round(answer["msgs_per_s"]) for answer in answers]
            for latency_ms, answers in results.items()
        },
        "hot_path_us_per_msg": {
            f"{latency_ms}ms": {
                kind: {stage: round(best[latency_ms][kind][stage], 1) for stage in STAGES}
                for kind in ("wall_us", "processor_us")
            }
            for latency_ms in results
        },
    }


def _show(results: dict[int, list[dict[str, Any]]]) -> None:
    for latency_ms, answers in results.items():
        best = max(answers, key=lambda answer: answer["msgs_per_s"])
        rounds = "  ".join(f"{answer['msgs_per_s']:,.0f}" for answer in answers)
        say(
            f"  sink of {latency_ms} ms: {best['msgs_per_s']:,.0f} messages/s"
            f" ({best['sent']:,} sent of {best['rows']:,} users); all rounds: {rounds}"
        )
        rows = [[stage, best["wall_us"][stage], best["processor_us"][stage]] for stage in STAGES]
        rows.append(["sum", *(sum(best[kind].values()) for kind in ("wall_us", "processor_us"))])
        table(["stage of the best round", "wall us/msg", "processor us/msg"], rows)
