"""Compare FcmSender with firebase-admin in alternating rounds: the same sink, core and messages."""

from statistics import median
from typing import Any

from bench.figures import Figures, say, table
from bench.process import run_alone
from bench.sink import LATENCIES_MS, Sink

_PREFIXES = {
    "tminus": "sender",
    "tminus_rich": "sender_rich",
    "send_each_async": "send_each_async",
    "send_each_async_rich": "send_each_async_rich",
    "send_each": "send_each",
}
"""The clients, and the prefixes of their figures' names."""
_FULL = {client: 60_000 if client.startswith("tminus") else 1_500 for client in _PREFIXES}
_QUICK = {client: 10_000 if client.startswith("tminus") else 500 for client in _PREFIXES}
_ROUNDS, _QUICK_ROUNDS = 5, 1


def measure(sink: Sink, *, quick: bool) -> Figures:
    """Return the messages a second of each client in its best round, with and without latency."""
    messages, rounds = (_QUICK, _QUICK_ROUNDS) if quick else (_FULL, _ROUNDS)
    results: dict[str, list[dict[str, float]]] = {}
    say(f"Sender: TLS and HTTP/2 to nginx, client and sink on a core each, {rounds} rounds in turns")
    for _ in range(rounds):
        for latency_ms in LATENCIES_MS:
            for client in _PREFIXES:
                answer = _round(sink, client, latency_ms, messages[client])
                results.setdefault(_name(client, latency_ms), []).append(answer)
    _show(results)
    return _figures(results)


def _round(sink: Sink, client: str, latency_ms: int, messages: int) -> dict[str, float]:
    trust = {"SSL_CERT_FILE": str(sink.ca_file), "REQUESTS_CA_BUNDLE": str(sink.ca_file)}
    target = f"bench.sender_clients:{client}"
    answer: dict[str, float] = run_alone(target, {"messages": messages, **sink.arguments(latency_ms)}, trust)
    return answer


def _name(client: str, latency_ms: int) -> str:
    prefix = _PREFIXES[client]
    return f"{prefix}_{latency_ms}ms_msgs_per_s" if latency_ms else f"{prefix}_msgs_per_s"


def _figures(results: dict[str, list[dict[str, float]]]) -> Figures:
    rounds = {name: [round(answer["msgs_per_s"]) for answer in answers] for name, answers in results.items()}
    figures: Figures = {name: max(speeds) for name, speeds in rounds.items()}
    peers = rounds["send_each_async_msgs_per_s"]
    ratios = [ours / peer for ours, peer in zip(rounds["sender_msgs_per_s"], peers, strict=True)]
    processor = min(answer["processor_us_per_msg"] for answer in results["sender_msgs_per_s"])
    figures |= {
        "sender_rounds": rounds,
        "sender_processor_us_per_msg": round(processor, 1),
        "sender_ratio_to_send_each_async": _ratio(figures, "send_each_async_msgs_per_s"),
        "sender_ratio_to_send_each": _ratio(figures, "send_each_msgs_per_s"),
        "sender_ratio_to_send_each_async_median_of_rounds": round(median(ratios), 1),
    }
    rich = [
        ours / plain
        for ours, plain in zip(rounds["sender_rich_msgs_per_s"], rounds["sender_msgs_per_s"], strict=True)
    ]
    figures["sender_rich_ratio_to_plain_median_of_rounds"] = round(median(rich), 2)
    figures["sender_rich_ratio_to_send_each_async_rich"] = round(
        figures["sender_rich_msgs_per_s"] / figures["send_each_async_rich_msgs_per_s"], 1
    )
    asynchronous, ours = figures["send_each_async_100ms_msgs_per_s"], figures["sender_100ms_msgs_per_s"]
    figures["sender_ratio_to_send_each_async_100ms"] = round(ours / asynchronous, 1)
    say(
        "  with an image, buttons, data and translations it sends "
        f"{figures['sender_rich_ratio_to_plain_median_of_rounds']:.0%} as many messages a second, "
        f"{figures['sender_rich_ratio_to_send_each_async_rich']} times those of send_each_async"
    )
    say(
        f"  FcmSender is {figures['sender_ratio_to_send_each_async']} times as fast as send_each_async, best of all"
        f" rounds to best; {figures['sender_ratio_to_send_each_async_median_of_rounds']} times in the median round"
    )
    return figures


def _ratio(figures: Figures, peer: str) -> float:
    ratio: float = figures["sender_msgs_per_s"] / figures[peer]
    return round(ratio, 1)


def _show(results: dict[str, list[dict[str, Any]]]) -> None:
    rows = []
    for name, answers in results.items():
        speeds = [answer["msgs_per_s"] for answer in answers]
        processor = min(answer["processor_us_per_msg"] for answer in answers)
        rows.append([name, max(speeds), processor, "  ".join(f"{speed:,.0f}" for speed in speeds)])
    table(["messages a second", "best", "processor us/msg", "all rounds"], rows)
