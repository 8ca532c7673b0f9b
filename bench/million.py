"""A push to a million users from launch to cleanup: time, memory, operations and dollars of each function."""

from tempfile import TemporaryDirectory
from typing import Any

from bench.campaign import DUE
from bench.figures import Figures, say, table
from bench.operations import Operations
from bench.prices import Compute, bill, document_for_each_user
from bench.process import run_alone
from bench.sink import Sink
from functions.domain.policy import Policy

_USERS, _QUICK_USERS = 1_000_000, 20_000
_LATENCY_MS = 100
_MEMORY_SIZES_MIB = (256, 512, 1_024, 2_048, 4_096)
"""Memory sizes of an instance. A function is billed for the smallest that holds its peak."""


def measure(sink: Sink, *, quick: bool) -> Figures:
    """Return the time, memory, operations and dollars of each function for a million recipients."""
    users = _QUICK_USERS if quick else _USERS
    answers: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory(prefix="tminus-bench-") as folder:
        say(f"A push to {users:,} users, each function of main.py in its own process, on one core")
        run_alone("bench.million_steps:prepare", {"folder": folder, "users": users})
        for function in DUE:
            if function == "send_push":
                run_alone("bench.million_steps:remember", {"folder": folder})
            where = sink.arguments(_LATENCY_MS)
            answers[function] = run_alone(
                "bench.million_steps:call", {"function": function, "folder": folder, **where}
            )
    recipients = answers["send_shard"]["sent"]
    if recipients != users:
        raise RuntimeError(f"{recipients:,} of {users:,} users got the push")
    _show(answers)
    return _figures(answers, recipients)


def _figures(answers: dict[str, dict[str, Any]], recipients: int) -> Figures:
    operations = Operations()
    for answer in answers.values():
        operations.add(Operations(**answer["operations"]))
    compute = [_compute(function, answer, recipients) for function, answer in answers.items()]
    ours = bill(operations, compute)
    other_operations = document_for_each_user(operations, recipients)
    theirs = bill(other_operations, compute)
    _show_bill(ours, theirs)
    scale = 1_000_000 / recipients
    return {
        "million_recipients": recipients,
        "seconds": {function: round(answer["seconds"], 2) for function, answer in answers.items()},
        "peak_mib": {function: round(answer["peak_mib"], 1) for function, answer in answers.items()},
        "before_mib": {function: round(answer["before_mib"], 1) for function, answer in answers.items()},
        "send_shard_peak_mib": round(answers["send_shard"]["peak_mib"], 1),
        "build_audience_peak_mib": round(answers["build_audience"]["peak_mib"], 1),
        "operations": {function: answer["operations"] for function, answer in answers.items()},
        "doc_ops_per_million": round(operations.documents * scale),
        "cloud_tasks_per_million": round(operations.tasks * scale),
        "storage_operations_per_million": round((operations.storage_a + operations.storage_b) * scale),
        "compute_seconds_per_million": round(sum(function.seconds for function in compute) * scale, 1),
        "usd_per_million": _dollars(ours, scale),
        "usd_micros_by_item": ours,
        "one_document_per_user_doc_ops_per_million": round(other_operations.documents * scale),
        "one_document_per_user_usd_per_million": _dollars(theirs, scale),
        "one_document_per_user_usd_micros_by_item": theirs,
    }


def _compute(function: str, answer: dict[str, Any], recipients: int) -> Compute:
    """Return the billed compute. Shards take at least as long as FCM's quota needs, however fast they are."""
    seconds = answer["seconds"]
    if function == "send_shard":
        seconds = max(seconds, recipients / Policy().send_rate)
    memory_mib = next(size for size in _MEMORY_SIZES_MIB if size >= answer["peak_mib"])
    return Compute(requests=answer["calls"], seconds=seconds, memory_mib=memory_mib)


def _dollars(micros: dict[str, int], scale: float) -> float:
    return round(sum(micros.values()) * scale) / 1_000_000


def _show(answers: dict[str, dict[str, Any]]) -> None:
    rows: list[list[object]] = []
    for function, answer in answers.items():
        counts = Operations(**answer["operations"])
        storage = counts.storage_a + counts.storage_b
        rows.append(
            [
                function,
                answer["calls"],
                answer["seconds"],
                answer["processor_seconds"],
                answer["before_mib"],
                answer["peak_mib"],
                counts.reads,
                counts.writes,
                counts.tasks,
                storage,
            ]
        )
    header = "function calls seconds processor-s MiB-before MiB-peak reads writes tasks storage".split()
    table(header, rows)


def _show_bill(ours: dict[str, int], theirs: dict[str, int]) -> None:
    rows: list[list[object]] = [[name, ours[name] / 1e6, theirs[name] / 1e6] for name in ours]
    rows.append(["sum", sum(ours.values()) / 1e6, sum(theirs.values()) / 1e6])
    exact = [[row[0], *(f"{value:.4f}" for value in row[1:])] for row in rows]
    table(["dollars", "Tminus", "one document per user"], exact)
