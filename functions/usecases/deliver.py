"""Deliver one shard: claim it, read its rows, exclude, reserve, send in chunks, record, release.

The order is what makes "at most one request" hold whatever crashes: a chunk's INTENT is on record before its
first request leaves, and an INTENT that no RESULT followed is unknown, never sent again. Test sends take the
same path, without the cadence ledger.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from functions.domain import cadence
from functions.domain.delivery import EXCLUDED, INTENT, NOT_REACHED, Envelope, Outcome, row_code
from functions.domain.errors import Conflict, Halted, Transient
from functions.domain.execution import State
from functions.domain.fields import PushFields
from functions.domain.ids import push_key, user_key
from functions.domain.safeguards import failure_finding
from functions.domain.shard import LEASE, AudienceFile, PushFiles, Shard
from functions.domain.timeline import Phase
from functions.ports import Ports
from functions.usecases.launch import end
from functions.usecases.reserve import give_back, hold_back
from functions.usecases.rows import Candidate, candidates
from functions.usecases.steps import Run


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One push of an execution, on its live audience or on its TEST audience."""

    run: Run
    files: PushFiles
    test: bool

    @property
    def push(self) -> PushFields:
        """The push as the recipe's snapshot has it."""
        return self.run.recipe.pushes[self.files.push - 1]

    @property
    def audience(self) -> AudienceFile:
        """The audience to send to."""
        return self.files.test if self.test else self.files.live

    @property
    def only_while(self) -> State:
        """The state in which alone a chunk may start."""
        return State.AUDIENCE_READY if self.test else State.LIVE

    @property
    def dry_run(self) -> bool:
        """Whether nobody gets a message: the live phase of a recipe in test mode."""
        return self.run.recipe.test_mode and not self.test

    @property
    def ledger_push(self) -> cadence.Push | None:
        """The push as the cadence ledger knows it; None where no rule can hold it back: tests, layers 1 and 4."""
        if self.test or self.push.layer_id in cadence.BYPASSING_LAYERS:
            return None
        key = push_key(self.run.execution.id, self.files.push)
        return cadence.Push(key=key, layer=self.push.layer_id, at=self.run.timeline.push_at[self.files.push - 1])

    @property
    def envelope(self) -> Envelope:
        """What all messages of the push have in common."""
        return Envelope(
            execution_id=self.run.execution.id,
            recipe_id=self.run.recipe.id,
            push=self.files.push,
            test=self.test,
            dry_run=self.dry_run,
        )


def deliver(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Send the rows of a shard that are still to be sent, and return it with their outcomes.

    Raises Halted once the execution may not send any more, Conflict where another worker has the shard, and
    Transient where rows remain that a later delivery has to send.
    """
    if shard.done:
        return shard
    worker = _Worker(ports, delivery, shard)
    worker.claim()
    try:
        worker.send_chunks(worker.grant())
    except Halted:
        settle(ports, delivery, worker.shard)
        raise
    except Transient:
        worker.let_go()
        raise
    if NOT_REACHED in worker.shard.outcomes:
        worker.let_go()
        raise Transient(f"{worker.shard.tally.not_reached} messages of shard {shard.key} are still to be sent")
    return settle(ports, delivery, worker.shard)


def settle(ports: Ports, delivery: Delivery, shard: Shard) -> Shard:
    """Close a shard: record its outcomes, give back the reservations of users who were not sent to."""
    shard = replace(shard, outcomes=shard.settled, lease_until=None)
    push = delivery.ledger_push
    if push is not None and not delivery.dry_run and shard.unsent:
        shard = ports.executions.settle_shard(shard)
        give_back(ports, push, delivery.audience, shard)
    return ports.executions.settle_shard(replace(shard, done=True))


class _Worker:
    """Holds a shard while sending it; `shard.outcomes` is always what is known, stored or about to be."""

    def __init__(self, ports: Ports, delivery: Delivery, shard: Shard) -> None:
        self._ports, self._delivery, self.shard = ports, delivery, shard

    def claim(self) -> None:
        now = self._ports.clock.now()
        if self.shard.lease_until is not None and now < self.shard.lease_until:
            raise Conflict(f"shard {self.shard.key} of {self.shard.execution_id} is being sent by another worker")
        self._save(self.shard.settled)

    def let_go(self) -> None:
        """Keep what is known, and let a later delivery have the shard at once."""
        settled = replace(self.shard, outcomes=self.shard.settled, lease_until=None)
        self.shard = self._ports.executions.settle_shard(settled)

    def grant(self) -> list[Candidate]:
        """Return the rows to send to, once every other row has the reason why not."""
        sendable = []
        outcomes = bytearray(self.shard.outcomes)
        for candidate in candidates(self._ports, self._delivery.push, self._delivery.audience, self.shard):
            if candidate.excluded is None:
                sendable.append(candidate)
            else:
                outcomes[candidate.position] = EXCLUDED[candidate.excluded]
        keys = {candidate.position: user_key(candidate.user_id) for candidate in sendable}
        held_back = self._hold_back(list(keys.values()))
        for position, key in keys.items():
            if key in held_back:
                outcomes[position] = EXCLUDED[held_back[key]]
        self._know(outcomes)
        return [candidate for candidate in sendable if outcomes[candidate.position] == NOT_REACHED]

    def send_chunks(self, granted: Sequence[Candidate]) -> None:
        """Send chunk after chunk: each one's INTENT is stored together with the RESULT of the one before."""
        most = self._ports.policy.chunk_rows
        for start in range(0, len(granted), most):
            chunk = granted[start : start + most]
            outcomes = bytearray(self.shard.outcomes)
            for candidate in chunk:
                outcomes[candidate.position] = INTENT
            self._save(bytes(outcomes))
            for position, code in self._send(chunk):
                outcomes[position] = code
            self._know(outcomes)
            self._judge()

    def _hold_back(self, keys: Sequence[bytes]) -> cadence.HeldBack:
        push = self._delivery.ledger_push
        if push is None:
            return {}
        return hold_back(self._ports, self._delivery.run, push, keys, dry_run=self._delivery.dry_run)

    def _save(self, outcomes: bytes) -> None:
        lease = self._ports.clock.now() + LEASE
        written = replace(self.shard, outcomes=outcomes, lease_until=lease)
        self.shard = self._ports.executions.save_shard(written, only_while=self._delivery.only_while)

    def _know(self, outcomes: bytearray) -> None:
        self.shard = replace(self.shard, outcomes=bytes(outcomes))

    def _send(self, chunk: Sequence[Candidate]) -> Iterator[tuple[int, int]]:
        messages = [message for candidate in chunk for message in candidate.messages]
        answers = self._ports.sender.send(self._delivery.envelope, messages)
        by_user: dict[str, list[Outcome]] = defaultdict(list)
        dead = []
        for message, outcome in zip(messages, answers, strict=True):
            by_user[message.user_id].append(outcome)
            if outcome is Outcome.DEAD_TOKEN:
                dead.append(message.token)
        if dead:
            self._ports.devices.bury(dead, self._ports.clock.now())
        for candidate in chunk:
            yield candidate.position, row_code(by_user[candidate.user_id])

    def _judge(self) -> None:
        """Stop the execution where too many of its messages fail; the next chunk then finds it halted."""
        if self._delivery.test:
            return
        execution = self._delivery.run.execution
        threshold = self._delivery.run.recipe.settings.safeguards.alert_thresholds.failure_rate
        finding = failure_finding(self._ports.executions.progress(execution.id) + self.shard.tally, threshold)
        if finding is not None:
            end(self._ports, self._delivery.run, Phase.LIVE_EXECUTION, State.STOPPED, finding)
