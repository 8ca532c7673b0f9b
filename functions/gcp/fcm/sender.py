"""Send pushes through FCM's HTTP v1: each message in at most one request, thousands of requests at once."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from functions.domain.errors import Misconfigured, QuotaExceeded, TminusError, Transient
from functions.domain.push.outcomes import Chunk, Envelope, Outcome
from functions.gcp.clock import SystemClock
from functions.gcp.fcm.access import Access
from functions.gcp.fcm.answers import Verdict, judge
from functions.gcp.fcm.messages import Writer, message_writer
from functions.gcp.fcm.transport import CONNECTIONS, STREAMS, Answer, Transport
from functions.settings import FcmSettings

_MOST_UNDER_WAY = CONNECTIONS * STREAMS
_TAKE_BELOW = 1_000
"""Take another chunk when fewer messages are under way: enough for 10,000 a second at 100 ms."""
_MOST_CHUNKS = 4
"""The most chunks under way: their outcomes are unknown after a crash, and a stop comes too late for them."""
_LONGEST_WAIT_SECONDS = 0.5


class _Hold:
    """A pause that FCM asked for."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock, self._until, self._setting = clock, 0.0, threading.Lock()

    @property
    def seconds(self) -> float:
        """The remaining seconds."""
        return max(0.0, self._until - self._clock.seconds())

    def ask(self, seconds: float) -> None:
        """Pause for at least this long from now."""
        with self._setting:
            self._until = max(self._until, self._clock.seconds() + seconds)


class _Open:
    """A chunk that was taken, with messages that have no answer yet."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.outcomes = [Outcome.NOT_SENT] * len(chunk.messages)
        self.unanswered = len(chunk.messages)


_Place = tuple[_Open, int]
"""A message: its chunk, and its position in the chunk."""


class FcmSender:
    """Implements PushSender on FCM.

    Its connections stay open between shards, unless a send fails or is not read to its end. Threads share none.
    """

    def __init__(self, config: FcmSettings, clock: SystemClock) -> None:
        self._config, self._clock = config, clock
        self._access = Access(config)
        self._hold = _Hold(clock)
        self._idle: list[Transport[_Place]] = []

    def send(self, envelope: Envelope, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        """Send chunks; see PushSender. If FCM asks one caller to wait, all callers in the process wait."""
        write = message_writer(envelope, self._clock.now(), self._config.time_to_live)
        with self._transport() as transport:
            yield from _Sending(self._clock, self._access, self._hold, transport, write).run(chunks)

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _transport(self) -> Iterator[Transport[_Place]]:
        try:
            transport = self._idle.pop()
        except IndexError:
            transport = Transport(self._config.send_url, self._config.ca_file)
        try:
            yield transport
        except BaseException:
            transport.close()  # not kept: if the garbage collector ends this send, it closes the handles too
            raise
        self._idle.append(transport)


class _Sending:
    """One call of `send`: takes chunks, starts their messages at the required pace, and collects the answers."""

    def __init__(
        self, clock: SystemClock, access: Access, hold: _Hold, transport: Transport[_Place], write: Writer
    ) -> None:
        self._clock, self._access, self._hold = clock, access, hold
        self._transport, self._write = transport, write
        self._waiting: deque[_Place] = deque()
        self._done: deque[_Open] = deque()
        self._open = 0
        self._next_at = 0.0
        self._trouble: TminusError | None = None

    def run(self, chunks: Iterable[Chunk]) -> Iterator[tuple[int, Sequence[Outcome]]]:
        untaken = iter(chunks)
        more = True
        while more or self._waiting or self._transport.under_way:
            self._mind_the_hold()
            while more and self._may_take:
                chunk = next(untaken, None)
                more = chunk is not None
                if chunk is not None:
                    self._take(chunk)
                    self._start()
            more = more and self._trouble is None
            self._start()
            self._collect()
            while self._done:
                ended = self._done.popleft()
                self._open -= 1
                yield ended.chunk.number, ended.outcomes
        if self._trouble is not None:
            raise self._trouble

    @property
    def _may_take(self) -> bool:
        room = self._open < _MOST_CHUNKS and self._transport.under_way < _TAKE_BELOW
        return self._trouble is None and room and not self._waiting

    def _take(self, chunk: Chunk) -> None:
        taken = _Open(chunk)
        self._open += 1
        self._waiting.extend((taken, position) for position in range(len(chunk.messages)))
        if not chunk.messages:
            self._done.append(taken)

    def _mind_the_hold(self) -> None:
        if self._hold.seconds and self._trouble is None:
            self._give_up(QuotaExceeded(self._hold.seconds))

    def _give_up(self, trouble: TminusError) -> None:
        """Start no further message. Messages that have not started are not sent."""
        self._trouble = trouble
        for taken, _ in self._waiting:
            self._answered(taken)
        self._waiting.clear()

    def _start(self) -> None:
        if not self._waiting:
            return
        try:
            headers = self._access.headers()
        except (Misconfigured, Transient) as error:
            self._give_up(error)
            return
        now = self._clock.seconds()
        self._next_at = max(self._next_at, now - _LONGEST_WAIT_SECONDS / 10)
        room = _MOST_UNDER_WAY - self._transport.under_way
        while self._waiting and self._next_at <= now and room:
            place = taken, position = self._waiting.popleft()
            self._transport.start(place, self._write(taken.chunk.messages[position]), headers)
            self._next_at += 1 / taken.chunk.most_per_second
            room -= 1

    def _collect(self) -> None:
        for (taken, position), answer in self._transport.finished(self._wait_seconds()):
            verdict = judge(answer)
            taken.outcomes[position] = verdict.outcome
            self._answered(taken)
            if verdict.outcome is not Outcome.SENT:
                self._heed(answer, verdict)

    def _heed(self, answer: Answer, verdict: Verdict) -> None:
        """Wait, or give up, if an answer asks for it."""
        if verdict.wait_seconds:
            self._hold.ask(verdict.wait_seconds)
            self._mind_the_hold()
        if verdict.trouble is not None and self._trouble is None:
            self._give_up(verdict.trouble)
        elif verdict.outcome is Outcome.NOT_SENT and not answer.status and self._trouble is None:
            self._give_up(Transient(f"FCM cannot be reached: {answer.problem}"))

    def _wait_seconds(self) -> float:
        if not self._waiting:
            return _LONGEST_WAIT_SECONDS if self._transport.under_way else 0.0
        return min(_LONGEST_WAIT_SECONDS, max(0.0, self._next_at - self._clock.seconds()))

    def _answered(self, taken: _Open) -> None:
        taken.unanswered -= 1
        if not taken.unanswered:
            self._done.append(taken)
