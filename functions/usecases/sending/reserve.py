"""Reserve a push in the cadence ledger for the users of a shard, and release what was not used."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from functions.domain.audience.partition import partition_of
from functions.domain.cadence import rules as cadence
from functions.domain.errors import LedgerUnreadable
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.push.shard import AudienceFile, Shard
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import rules_in_force
from functions.usecases.sending.rows import row_keys
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.steps import Run

_LOOK_BACK = timedelta(days=31)

# The packed ledger is imported on use: it loads numpy, which only shards need.


def hold_back(
    ports: Ports, run: Run, push: cadence.Push, keys: Sequence[bytes], *, dry_run: bool
) -> cadence.HeldBack:
    """Reserve the push for the users that no rule holds back; return the others with the rule.

    A dry run reserves nothing. If the ledger cannot be read, nothing is sent unless the deployment fails open. A
    violation is recorded in both cases.
    """
    held_back: dict[bytes, str] = {}
    try:
        for found in reserve(ports, push, keys, dry_run=dry_run):
            held_back.update(found)
    except LedgerUnreadable as error:
        breach(ports, run.execution, Phase.LIVE_EXECUTION, _unreadable(ports, error))
        if not ports.policy.fail_open:
            raise
    return held_back


def reserve(
    ports: Ports, push: cadence.Push, keys: Sequence[bytes], *, dry_run: bool = False
) -> Iterator[cadence.HeldBack]:
    """Reserve the push partition by partition, and yield the users that a rule holds back.

    LedgerUnreadable if the ledger cannot be read.
    """
    from functions.domain.cadence import ledger  # noqa: PLC0415

    rules = rules_of(ports, push)
    days = cadence.days_to_read(push, rules, ports.clock.now())
    for partition, users in _by_partition(keys).items():

        def change(stored: cadence.Days, users: Sequence[bytes] = users) -> tuple[cadence.Days, cadence.HeldBack]:
            made = ledger.reserve(stored, push, users, rules)
            return ({} if dry_run else made.writes), made.held_back

        yield ports.ledger.transact(partition, days, change)


def rules_of(ports: Ports, push: cadence.Push) -> Sequence[cadence.CadenceRule]:
    """Return the rules that can hold a push back; LedgerUnreadable if they cannot be read."""
    return cadence.rules_for(push.layer, rules_in_force(ports))


def give_back(ports: Ports, push: cadence.Push, audience: AudienceFile, shard: Shard) -> None:
    """Release the reservations of a shard's users who were not sent to. Repeating it changes nothing."""
    keys = row_keys(ports, audience, shard)
    release(ports, push, [keys[position] for position in shard.unsent])


def withdraw(ports: Ports, key: bytes, audience: AudienceFile, shard: Shard, since: datetime) -> None:
    """Release reservations as `give_back` does, if only the push's key is known and the earliest day it was due.

    Days older than a month are skipped: no rule looks back that far.
    """
    from functions.domain.cadence import ledger  # noqa: PLC0415

    now, keys = ports.clock.now(), row_keys(ports, audience, shard)
    days = cadence.days_between(max(since, now - _LOOK_BACK), now)
    for partition, users in _by_partition([keys[position] for position in shard.unsent]).items():

        def change(stored: cadence.Days, users: Sequence[bytes] = users) -> tuple[cadence.Days, None]:
            return ledger.withdraw(stored, key, users), None

        ports.ledger.transact(partition, days, change)


def release(ports: Ports, push: cadence.Push, keys: Sequence[bytes]) -> None:
    """Release the reservations of users, if they have any."""
    from functions.domain.cadence import ledger  # noqa: PLC0415

    for partition, users in _by_partition(keys).items():

        def change(stored: cadence.Days, users: Sequence[bytes] = users) -> tuple[cadence.Days, None]:
            return ledger.release(stored, push, users), None

        ports.ledger.transact(partition, [push.day], change)


def _by_partition(keys: Sequence[bytes]) -> dict[int, list[bytes]]:
    groups: dict[int, list[bytes]] = defaultdict(list)
    for key in keys:
        groups[partition_of(key)].append(key)
    return groups


def _unreadable(ports: Ports, error: LedgerUnreadable) -> Finding:
    opened = ports.policy.fail_open
    return Finding(
        type=ViolationType.LEDGER_UNREADABLE,
        severity=Severity.CRITICAL,
        message=f"the cadence ledger cannot be read: {error}",
        action="none; CADENCE_FAIL=open lets all users through" if opened else "nothing is sent until it can be",
    )
