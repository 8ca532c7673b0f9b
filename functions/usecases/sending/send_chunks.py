"""Send the rows of a shard in chunks, several at once, each with its INTENT stored before it leaves."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from functions.domain import pace
from functions.domain.audience.dead_tokens import bury
from functions.domain.audience.partition import partition_of
from functions.domain.errors import Halted, Misconfigured, NotReady, TminusError, Transient
from functions.domain.execution.execution import State
from functions.domain.execution.safeguards import failure_finding
from functions.domain.push.outcomes import (
    Chunk,
    Outcome,
    answered,
    intent,
    result,
    row_code,
    tally,
)
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.sending.assignment import Delivery
from functions.usecases.sending.held_shard import HeldShard
from functions.usecases.sending.rows import Candidate
from functions.usecases.timeline.ending import end
from functions.usecases.timeline.journal import breach
from functions.usecases.timeline.wrong_setting import setting_finding, wrong_setting

_COUNT_AGAIN = timedelta(seconds=10)
"""How long the counted number of running shards is reused."""


def send_chunks(ports: Ports, delivery: Delivery, held: HeldShard, rows: Sequence[Candidate]) -> None:
    """Send rows and record their outcomes. An error is raised only after every running chunk has its outcomes.

    Halted if the execution has left the sending state; Transient if rows remain for a later delivery.
    """
    chunks = _Chunks(ports, delivery, held, rows)
    trouble: TminusError | None = None
    try:
        for number, outcomes in ports.sender.send(delivery.envelope, chunks):
            chunks.learn(number, outcomes)
            chunks.judge()
        chunks.judge(at_the_end=True)
    except (NotReady, Transient) as error:  # of a store: FCM is never just not ready
        trouble = error
    except Misconfigured as error:
        trouble = _report(ports, delivery, error)
    chunks.bury_dead()
    trouble = trouble or chunks.refused
    if trouble is not None:
        raise trouble


class _Chunks:
    """Iterates over the rows chunk by chunk. Taking a chunk stores its INTENT, with the results known so far.

    An error of the store ends the iteration, but not the running chunks: `refused` keeps the error.
    """

    def __init__(self, ports: Ports, delivery: Delivery, held: HeldShard, rows: Sequence[Candidate]) -> None:
        self._ports, self._delivery, self._held, self._rows = ports, delivery, held, rows
        self._before = held.shard.outcomes
        self._outcomes = bytearray(held.shard.outcomes)
        self._under_way: dict[int, Sequence[Candidate]] = {}
        self._pace = _Pace(ports, delivery)
        self._others = None if delivery.test else ports.shards.progress(held.shard.execution_id)
        self._dead: dict[int, list[str]] = defaultdict(list)
        self.refused: TminusError | None = None

    def __iter__(self) -> Iterator[Chunk]:
        start = number = 0
        while start < len(self._rows):
            per_second = self._pace.per_second()
            rows = self._rows[start : start + pace.chunk_rows(self._ports.policy.chunk_rows, per_second)]
            if not self._announce(number, rows):
                return
            messages = [message for row in rows for message in row.messages]
            yield Chunk(number=number, messages=messages, most_per_second=per_second)
            start, number = start + len(rows), number + 1

    def _announce(self, number: int, rows: Sequence[Candidate]) -> bool:
        announced = bytearray(self._outcomes)
        for row in rows:
            announced[row.position] = intent(self._before[row.position])
        try:
            self._held.save(bytes(announced))
        except TminusError as error:
            self.refused = error
            if isinstance(error, Halted):
                self._held.halted(under_way=sum(map(len, self._under_way.values())))
            return False
        self._outcomes, self._under_way[number] = announced, rows
        return True

    def learn(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """Record the outcomes of a chunk's messages, which the next chunk's INTENT stores."""
        start = 0
        for row in self._under_way.pop(number):
            stop = start + len(row.messages)
            code = row_code(outcomes[start:stop])
            self._outcomes[row.position] = result(self._before[row.position], code)
            if Outcome.DEAD_TOKEN in outcomes[start:stop]:
                pairs = zip(row.messages, outcomes[start:stop], strict=True)
                dead = [message.token for message, outcome in pairs if outcome is Outcome.DEAD_TOKEN]
                self._dead[partition_of(row.key)] += dead
            start = stop
        self._held.know(self._outcomes)

    def judge(self, *, at_the_end: bool = False) -> None:
        """Stop the execution if FCM refuses tokens because of a wrong setting, or too many messages fail.

        The next chunk then finds it halted. The last call also judges what an earlier worker could not.
        """
        if (wrong := wrong_setting(self._ports, self._held.shard, at_the_end=at_the_end)) is not None:
            _report(self._ports, self._delivery, wrong)
            return
        if self._others is None:
            return
        threshold = self._delivery.run.recipe.settings.safeguards.alert_thresholds.failure_rate
        finding = failure_finding(self._others + tally(answered(self._held.shard.outcomes)), threshold)
        if finding is not None:
            end(self._ports, self._delivery.run, Phase.LIVE_EXECUTION, State.STOPPED, finding)

    def bury_dead(self) -> None:
        """Store the tokens that FCM reported as dead, one transaction per partition."""
        now = self._ports.clock.now()
        for partition, tokens in self._dead.items():
            self._ports.devices.bury(partition, partial(bury, tokens=tokens, at=now))


class _Pace:
    """How fast this shard may send, by the quota, the running shards and the push's ramp."""

    def __init__(self, ports: Ports, delivery: Delivery) -> None:
        self._ports, self._delivery = ports, delivery
        self._shards = 1
        self._counted_at: datetime | None = None

    def per_second(self) -> float:
        now = self._ports.clock.now()
        if self._counted_at is None or now - self._counted_at >= _COUNT_AGAIN:
            self._shards, self._counted_at = self._ports.shards.under_way(now), now
        return pace.rate(self._ports.policy.send_rate, self._shards, now - self._delivery.began_at)


def _report(ports: Ports, delivery: Delivery, error: Misconfigured) -> TminusError | None:
    """Report the setting to change, and stop a live execution, because every other message would fail too."""
    finding = setting_finding(error, "none; the test send has failed" if delivery.test else "stopped")
    if delivery.test:
        breach(ports, delivery.run.execution, Phase.TEST_SENDING, finding)
        return None
    end(ports, delivery.run, Phase.LIVE_EXECUTION, State.STOPPED, finding)
    return Halted(f"execution {delivery.run.execution.id} is stopped: {error}")
