"""Ask the sender what became of requests whose worker died, where it can say: then nothing of them is in doubt."""

from collections.abc import Mapping
from dataclasses import replace

from functions.domain.audience.partition import read_rows
from functions.domain.push.outcomes import INTENT, NOT_REACHED, SENT, Outcome
from functions.domain.push.shard import Shard
from functions.ports import Ports
from functions.ports.sending import AskableSender
from functions.usecases.sending.assignment import Delivery


def ask_sender(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Return a shard that no worker holds any more, with what its sender knows of the requests under way.

    What has left is sent, what has not is still to be sent; what the sender itself doubts stays in doubt. The second
    request of `onUnknown: resend` cannot be told from the first, so that its row stays in doubt too.
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
