"""One system in memory: raw adapters that the simulation reads, and the ports that the functions get."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.ports import Ports
from functions.ports.queue import Clock
from functions.ports.shards import ShardStore
from functions.ports.stores import RecipeStore
from functions.ports.violations import ViolationStore
from functions.stores import Stores, stores_on
from local.embedded.callers import LocalCallers
from local.memory.alerts import MemoryAlerts, MemoryAlertStore, MemoryChannels
from local.memory.executions import MemoryExecutionStore
from local.memory.files import MemoryAudienceFiles
from local.memory.ledger import MemoryCadenceLedger
from local.memory.queue import MemoryTaskQueue
from local.memory.schedules import MemorySchedules
from local.simulator.play.bucket import BucketFiles
from local.simulator.play.chance import Chance
from local.simulator.play.faults import Rates
from local.simulator.play.overlapping import OverlappingDocuments
from local.simulator.play.phones import Left, Phones
from local.simulator.play.pictures import Pictures
from local.simulator.play.registrations import Registrations
from local.simulator.play.scenario import Scenario
from local.simulator.play.users import Users, make_job


@dataclass(frozen=True, kw_only=True)
class World:
    """The adapters of one run."""

    recipes: RecipeStore
    executions: MemoryExecutionStore
    shards: ShardStore
    violations: ViolationStore
    ledger: MemoryCadenceLedger
    files: MemoryAudienceFiles
    queue: MemoryTaskQueue
    schedules: MemorySchedules
    phones: Phones
    registrations: Registrations
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
    registrations: Registrations,
) -> World:
    """Make the world of a scenario, still empty."""
    documents, files = OverlappingDocuments(), MemoryAudienceFiles()
    queue, schedules = MemoryTaskQueue(clock), MemorySchedules(clock)
    phones = Phones(
        chance,
        rates,
        registrations,
        depth=scenario.chunks_under_way,
        caller=caller,
        wait=wait,
        left=left,
    )
    channels = MemoryChannels()
    executions, ledger = MemoryExecutionStore(documents), MemoryCadenceLedger(documents)
    alerts = MemoryAlertStore(documents)
    played: Stores = {**stores_on(documents), "executions": executions, "ledger": ledger, "alert_store": alerts}
    job = make_job()
    ports = Ports(
        clock=clock,
        **played,
        files=BucketFiles(files, chance, rates, caller),
        tasks=queue,
        schedules=schedules,
        sender=phones,
        alerts=MemoryAlerts(),
        channels=channels,
        callers=LocalCallers(),
        engine=Users(scenario.users, chance, rates, caller, registrations),
        find_job=lambda _: job,
        workspace=scenario.workspace,
        policy=scenario.policy,
        images=Pictures(chance, rates, caller),
    )
    return World(
        recipes=ports.recipes,
        executions=executions,
        shards=ports.shards,
        violations=ports.violations,
        ledger=ledger,
        files=files,
        queue=queue,
        schedules=schedules,
        phones=phones,
        registrations=registrations,
        alerts=alerts,
        channels=channels,
        ports=ports,
    )
