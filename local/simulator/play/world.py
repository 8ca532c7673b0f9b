"""One system in memory: raw adapters that the simulation reads, and the ports that the functions are given."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.ports import Ports
from functions.ports.queue import Clock
from local.embedded.callers import LocalCallers
from local.memory.alerts import MemoryAlerts, MemoryAlertStore, MemoryChannels
from local.memory.documents import (
    MemoryAuditLog,
    MemoryCadenceLedger,
    MemoryDevices,
    MemoryRecipeStore,
    MemoryRequestKeys,
)
from local.memory.executions import MemoryExecutionLog, MemoryExecutionStore, MemoryShardStore, MemoryViolationStore
from local.memory.files import MemoryAudienceFiles
from local.memory.queue import MemoryTaskQueue
from local.memory.schedules import MemorySchedules
from local.simulator.play.chance import Chance
from local.simulator.play.faults import Rates
from local.simulator.play.phones import Left, Phones
from local.simulator.play.scenario import Scenario
from local.simulator.play.users import Users, make_job


@dataclass(frozen=True, kw_only=True)
class World:
    """The adapters of one run."""

    recipes: MemoryRecipeStore
    executions: MemoryExecutionStore
    shards: MemoryShardStore
    violations: MemoryViolationStore
    ledger: MemoryCadenceLedger
    files: MemoryAudienceFiles
    queue: MemoryTaskQueue
    schedules: MemorySchedules
    phones: Phones
    alerts: MemoryAlertStore
    channels: MemoryChannels
    ports: Ports


def open_world(
    scenario: Scenario,
    clock: Clock,
    chance: Chance,
    rates: Rates,
    *,
    caller: Callable[[], str],
    wait: Callable[[float], None],
    left: Left,
) -> World:
    """Make the world of a scenario, with nothing in it yet."""
    audit = MemoryAuditLog()
    recipes, executions, files = MemoryRecipeStore(audit), MemoryExecutionStore(), MemoryAudienceFiles()
    shards, violations = MemoryShardStore(executions), MemoryViolationStore()
    ledger, queue, schedules = MemoryCadenceLedger(audit), MemoryTaskQueue(clock), MemorySchedules(clock)
    phones = Phones(chance, rates, depth=scenario.chunks_under_way, caller=caller, wait=wait, left=left)
    alerts, channels = MemoryAlertStore(), MemoryChannels()
    job = make_job()
    ports = Ports(
        clock=clock,
        recipes=recipes,
        audit=audit,
        executions=executions,
        shards=shards,
        logs=MemoryExecutionLog(),
        violations=violations,
        request_keys=MemoryRequestKeys(),
        ledger=ledger,
        files=files,
        tasks=queue,
        schedules=schedules,
        sender=phones,
        devices=MemoryDevices(),
        alerts=MemoryAlerts(),
        alert_store=alerts,
        channels=channels,
        callers=LocalCallers(),
        engine=Users(scenario.users, chance, rates, caller),
        find_job=lambda _: job,
        policy=scenario.policy,
    )
    return World(
        recipes=recipes,
        executions=executions,
        shards=shards,
        violations=violations,
        ledger=ledger,
        files=files,
        queue=queue,
        schedules=schedules,
        phones=phones,
        alerts=alerts,
        channels=channels,
        ports=ports,
    )
