"""Deliver one shard: claim it, read its rows, exclude, reserve, send in chunks, record, release.

The order guarantees at most one request, whatever crashes. A chunk's INTENT is stored before its first request
leaves. An INTENT without a RESULT is unknown, and is not sent again unless the recipe says so. Test sends take the
same path, without the cadence ledger.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from functions.domain.cadence import rules as cadence
from functions.domain.errors import BadAudience, Conflict, Halted, NotReady, Transient
from functions.domain.push.outcomes import EXCLUDED, LOST, NOT_REACHED, Exclusion, excluded
from functions.domain.push.rule_bytes import code_of
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
    """Send the rows of a shard that still have to be sent, and return it with their outcomes.

    Raises Halted if the execution has left the sending state, NotYet while another worker holds the shard, and
    Transient if rows remain for a later delivery. For example, a shard with `outcomes=b"..."` becomes one with
    `b"SdU"`: FCM accepted the message for the first user, the second has no device token, and FCM did not answer for
    the third. See `domain.push.outcomes` for the bytes.
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
    except (NotReady, Transient):
        held.let_go()
        raise
    waiting = held.shard.waiting(resend=delivery.resend)
    if waiting:
        held.let_go()
        raise Transient(f"{waiting} messages of shard {held.shard.key} are still to be sent")
    return settle(ports, delivery, held.shard)


def settle(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Close a shard: record its outcomes, and release the reservations of users who were not sent to."""
    push, shard = delivery.ledger_push, _asked(ports, delivery, shard)
    if push is None or delivery.dry_run:
        return close(ports, shard)
    return close(ports, shard, partial(_give_back, ports, delivery, push))


def count_as_lost(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Close a shard of a restored backup that may have been sent since. Nothing is sent.

    Rows without an exclusion are reserved as if sent, and their outcome is unknown.
    """
    if shard.done:
        return shard
    held = HeldShard(ports, replace(shard, outcomes=shard.settled), only_while=delivery.only_while)
    try:
        positions = {row.position for row in _granted(ports, delivery, held)}
    except BadAudience as error:
        message = f"push {shard.push}: the ledger does not count its users, as the audience cannot be read: {error}"
        note(ports, shard.execution_id, Phase.CLEANUP, message, "warning")
        positions = set(range(len(shard.outcomes)))
    outcomes = bytearray(held.shard.outcomes)
    for position in positions:
        outcomes[position] = LOST if outcomes[position] == NOT_REACHED else outcomes[position]
    return settle(ports, delivery, replace(held.shard, outcomes=bytes(outcomes)))


def _asked(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Ask the sender. Without a readable audience, the users of open requests are unknown."""
    try:
        return ask_sender(ports, delivery, shard)
    except BadAudience:
        return shard


def close(ports: Ports, shard: Shard, give_back: Callable[[Shard], None] | None = None) -> Shard:
    """Record a shard's outcomes as final, after `give_back` has released the reservations of unsent users."""
    shard = replace(shard, outcomes=shard.settled, lease_until=None)
    if give_back is not None and shard.unsent:
        shard = ports.shards.settle(shard)
        give_back(shard)
    return ports.shards.settle(replace(shard, done=True))


def _give_back_what_was_lost(ports: Ports, delivery: Delivery, shard: Shard) -> None:
    """Release what was reserved for a shard that another process closed meanwhile.

    The worker of an open shard does it.
    """
    push = delivery.ledger_push
    closed = ports.shards.get(shard.execution_id, shard.key)
    if push is not None and not delivery.dry_run and closed is not None and closed.done and closed.unsent:
        _give_back(ports, delivery, push, closed)


def _give_back(ports: Ports, delivery: Delivery, push: cadence.Push, shard: Shard) -> None:
    """Release unused reservations; none if the audience can no longer be read."""
    try:
        give_back(ports, push, delivery.audience, shard)
    except BadAudience as error:
        message = f"push {shard.push}: reservations of users who were not sent to are kept: {error}"
        note(ports, shard.execution_id, Phase.CLEANUP, message, "warning")


def _granted(ports: Ports, delivery: Delivery, held: HeldShard) -> Sequence[Candidate]:
    """Return the rows to send to, after recording why each other row is excluded."""
    outcomes = bytearray(held.shard.outcomes)
    sendable, dead = [], []
    for row in candidates(ports, delivery.push, delivery.audience, held.shard, delivery.waiting):
        if row.excluded is None:
            sendable.append(row)
            continue
        outcomes[row.position] = excluded(outcomes[row.position], EXCLUDED[row.excluded])
        if outcomes[row.position] == EXCLUDED[Exclusion.DEAD_TOKEN]:
            dead.append(row.key)
    if held.held_before:
        _give_back_of_dead(ports, delivery, dead)
    held_back = _held_back(ports, delivery, [row.key for row in sendable])
    for row in sendable:
        if row.key in held_back:
            code = code_of(held_back[row.key], delivery.run.execution.rule_bytes)
            outcomes[row.position] = excluded(outcomes[row.position], code)
    held.know(outcomes)
    return [row for row in sendable if row.key not in held_back]


def _give_back_of_dead(ports: Ports, delivery: Delivery, keys: Sequence[bytes]) -> None:
    """Release what an earlier worker reserved for users whose devices have died since."""
    push = delivery.ledger_push
    if push is not None and not delivery.dry_run:
        release(ports, push, keys)


def _held_back(ports: Ports, delivery: Delivery, keys: Sequence[bytes]) -> cadence.HeldBack:
    push = delivery.ledger_push
    if push is None:
        return {}
    return hold_back(ports, delivery.run, push, keys, dry_run=delivery.dry_run)
