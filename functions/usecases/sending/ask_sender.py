"""Ask the sender for the outcomes of requests whose worker died, if the sender can say."""

from collections.abc import Mapping
from dataclasses import replace

from functions.domain.audience.partition import read_rows
from functions.domain.push.outcomes import INTENT, NOT_REACHED, SENT, Outcome
from functions.domain.push.shard import Shard
from functions.ports import Ports
from functions.ports.sending import AskableSender
from functions.usecases.sending.assignment import Delivery


def ask_sender(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Return a shard without a worker, with the sender's knowledge of its open requests.

    A message that left is sent, and one that did not still has to be sent. If the sender does not know, the row stays
    in doubt. The second request of `onUnknown: resend` cannot be distinguished from the first, so its row stays in
    doubt too.
    """
    if INTENT not in shard.outcomes or not isinstance(ports.sender, AskableSender):
        return shard
    left = ports.sender.ask(delivery.envelope)
    rows = delivery.audience.rows
    data = ports.files.read(rows.stored, *rows.index.byte_range(shard.partitions))
    outcomes = bytearray(shard.outcomes)
    for position, row in enumerate(read_rows(data)):
        if outcomes[position] == INTENT:
            outcomes[position] = _code(left, row[0])
    return replace(shard, outcomes=bytes(outcomes))


def _code(left: Mapping[str, Outcome], user_id: str) -> int:
    if user_id not in left:
        return NOT_REACHED
    return SENT if left[user_id] is Outcome.SENT else INTENT
