"""Deliver one shard: claim it, read its rows, exclude, reserve, send in chunks, record, release.

The order is what makes "at most one request" hold whatever crashes: a chunk's INTENT is on record before its
first request leaves, and an INTENT that no RESULT followed is unknown, never sent again unless the recipe asks
for it. Test sends take the same path, without the cadence ledger.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from functions.domain.cadence import rules as cadence
from functions.domain.errors import BadAudience, Conflict, Halted, Transient
from functions.domain.push.outcomes import EXCLUDED, LOST, NOT_REACHED, Exclusion, excluded
from functions.domain.push.shard import Shard
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.sending.ask_sender import ask_sender
from functions.usecases.sending.assignment import Delivery
from functions.usecases.sending.held_shard import HeldShard
from functions.usecases.sending.reserve import give_back, hold_back, release
from functions.usecases.sending.rows import Candidate, candidates
from functions.usecases.sending.send_chunks import send_chunks
from functions.usecases.timeline.journal import note


def deliver(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Send the rows of a shard that are still to be sent, and return it with their outcomes.

    Raises Halted once the execution may not send any more, Conflict where another worker has the shard, and
    Transient where rows remain that a later delivery has to send.
    """
    if shard.done:
        return shard
    held = HeldShard(ports, shard, only_while=delivery.only_while)
    held.claim(partial(ask_sender, ports, delivery))
    try:
        return _send(ports, delivery, held)
    except Conflict:
        _give_back_what_was_lost(ports, delivery, shard)
        raise


def _send(ports: Ports, delivery: Delivery, held: HeldShard) -> Shard:
    try:
        send_chunks(ports, delivery, held, _granted(ports, delivery, held))
    except Halted:
        settle(ports, delivery, held.shard)
        raise
    except Transient:
        held.let_go()
        raise
    waiting = held.shard.waiting(resend=delivery.resend)
    if waiting:
        held.let_go()
        raise Transient(f"{waiting} messages of shard {held.shard.key} are still to be sent")
    return settle(ports, delivery, held.shard)


def settle(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Close a shard: record its outcomes, give back the reservations of users who were not sent to."""
    push, shard = delivery.ledger_push, _asked(ports, delivery, shard)
    if push is None or delivery.dry_run:
        return close(ports, shard)
    return close(ports, shard, partial(_give_back, ports, delivery, push))


def count_as_lost(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Close a shard that a system may have sent of which this one is an older copy; nothing is sent.

    Rows that nothing excludes are reserved as if they were sent, and their outcome is unknown.
    """
    if shard.done:
        return shard
    held = HeldShard(ports, replace(shard, outcomes=shard.settled), only_while=delivery.only_while)
    try:
        positions = {row.position for row in _granted(ports, delivery, held)}
    except BadAudience as error:
        told = f"push {shard.push}: the ledger does not count its users, as the audience cannot be read: {error}"
        note(ports, shard.execution_id, Phase.CLEANUP, told, "warning")
        positions = set(range(len(shard.outcomes)))
    outcomes = bytearray(held.shard.outcomes)
    for position in positions:
        outcomes[position] = LOST if outcomes[position] == NOT_REACHED else outcomes[position]
    return settle(ports, delivery, replace(held.shard, outcomes=bytes(outcomes)))


def _asked(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Ask the sender; without a readable audience it is unknown whose requests were under way."""
    try:
        return ask_sender(ports, delivery, shard)
    except BadAudience:
        return shard


def close(ports: Ports, shard: Shard, give_back: Callable[[Shard], None] | None = None) -> Shard:
    """Record a shard's outcomes as final; before that, `give_back` releases what was reserved for unsent users."""
    shard = replace(shard, outcomes=shard.settled, lease_until=None)
    if give_back is not None and shard.unsent:
        shard = ports.shards.settle(shard)
        give_back(shard)
    return ports.shards.settle(replace(shard, done=True))


def _give_back_what_was_lost(ports: Ports, delivery: Delivery, shard: Shard) -> None:
    """Release what was reserved for a shard that had been closed meanwhile; for an open one its worker does it."""
    push = delivery.ledger_push
    closed = ports.shards.get(shard.execution_id, shard.key)
    if push is not None and not delivery.dry_run and closed is not None and closed.done and closed.unsent:
        _give_back(ports, delivery, push, closed)


def _give_back(ports: Ports, delivery: Delivery, push: cadence.Push, shard: Shard) -> None:
    """Release unused reservations; none if the audience that names their users can no longer be read."""
    try:
        give_back(ports, push, delivery.audience, shard)
    except BadAudience as error:
        told = f"push {shard.push}: reservations of users who were not sent to are kept: {error}"
        note(ports, shard.execution_id, Phase.CLEANUP, told, "warning")


def _granted(ports: Ports, delivery: Delivery, held: HeldShard) -> Sequence[Candidate]:
    """Return the rows to send to, once every other row has the reason why not."""
    outcomes = bytearray(held.shard.outcomes)
    sendable, dead = [], []
    for row in candidates(ports, delivery.push, delivery.audience, held.shard, delivery.waiting):
        if row.excluded is None:
            sendable.append(row)
            continue
        outcomes[row.position] = excluded(outcomes[row.position], row.excluded)
        if outcomes[row.position] == EXCLUDED[Exclusion.DEAD_TOKEN]:
            dead.append(row.key)
    if held.held_before:
        _give_back_of_dead(ports, delivery, dead)
    held_back = _held_back(ports, delivery, [row.key for row in sendable])
    for row in sendable:
        if row.key in held_back:
            outcomes[row.position] = excluded(outcomes[row.position], held_back[row.key])
    held.know(outcomes)
    return [row for row in sendable if row.key not in held_back]


def _give_back_of_dead(ports: Ports, delivery: Delivery, keys: Sequence[bytes]) -> None:
    """Release what a worker before this one reserved for users whose devices have turned out dead since."""
    push = delivery.ledger_push
    if push is not None and not delivery.dry_run:
        release(ports, push, keys)


def _held_back(ports: Ports, delivery: Delivery, keys: Sequence[bytes]) -> cadence.HeldBack:
    push = delivery.ledger_push
    if push is None:
        return {}
    return hold_back(ports, delivery.run, push, keys, dry_run=delivery.dry_run)
