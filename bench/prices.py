"""List prices of operations and compute, in integer micros of a dollar.

us-central1, beyond the free tiers, without commitments: cloud.google.com/firestore/pricing,
cloud.google.com/tasks/pricing, cloud.google.com/storage/pricing (Standard, one region) and
cloud.google.com/run/pricing (tier 1, billed by request; functions are priced as Cloud Run). FCM is free:
firebase.google.com/pricing.
"""

from dataclasses import dataclass

from bench.operations import Operations
from functions.domain import cost

_MILLION = 1_000_000
MICROS_A_MILLION = {
    "document reads": 1_000 * cost.READ,
    "document writes": 1_000 * cost.WRITE,
    "document deletes": 100_000,
    "task operations": 1_000 * cost.TASK,
    "storage class A": 1_000 * cost.STORE,
    "storage class B": 1_000 * cost.FETCH,
    "requests": 400_000,
    "vCPU-seconds": 24_000_000,
    "GiB-seconds": 2_500_000,
}
"""Micros of a dollar for a million units. The estimate of a dry run has those of one unit, in nano-dollars."""


@dataclass(frozen=True, kw_only=True)
class Compute:
    """One function's calls: how long an instance with one vCPU and this much memory was busy."""

    requests: int
    seconds: float
    memory_mib: int


def bill(operations: Operations, compute: list[Compute]) -> dict[str, int]:
    """Return micros of a dollar by billed item. Cloud Tasks bills adding a task and delivering it."""
    units = {
        "document reads": operations.reads,
        "document writes": operations.writes,
        "document deletes": operations.deletes,
        "task operations": 2 * operations.tasks,
        "storage class A": operations.storage_a,
        "storage class B": operations.storage_b,
        "requests": sum(function.requests for function in compute),
        "vCPU-seconds": round(sum(function.seconds for function in compute)),
        "GiB-seconds": round(sum(function.seconds * function.memory_mib for function in compute) / 1024),
    }
    return {name: -(-count * MICROS_A_MILLION[name] // _MILLION) for name, count in units.items()}


def document_for_each_user(operations: Operations, recipients: int) -> Operations:
    """Return the operations of the same push with one document for each user.

    Each recipient takes a read and a write for cadence and a write for the outcome, instead of packed documents.
    Tasks and files stay the same.
    """
    return Operations(
        reads=recipients,
        writes=2 * recipients,
        tasks=operations.tasks,
        storage_a=operations.storage_a,
        storage_b=operations.storage_b,
    )
