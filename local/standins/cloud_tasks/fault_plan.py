"""The progress of a script: the fault of each delivery and call."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from local.embedded.agenda import Work
from local.embedded.fire import Fire
from local.standins.cloud_tasks.script import (
    Delay,
    Duplicate,
    FailedCalls,
    Fault,
    LoseResponse,
    Outlive,
    Reorder,
    Script,
)


class FaultPlan:
    """Counts what a script has decided so far; thread-safe."""

    def __init__(self, script: Script) -> None:
        self._lock = threading.Lock()
        self.play(script)

    def play(self, script: Script) -> None:
        """Play another script from its start."""
        with self._lock:
            self.script = script
            self._suffered: Counter[tuple[int, str]] = Counter()
            self._calls: Counter[int] = Counter()

    def lateness(self, name: str, url: str) -> timedelta:
        """Return how late the next delivery of a task or job comes."""
        late = timedelta(0)
        for index, fault in self._faults((Delay, Reorder), name, url):
            if isinstance(fault, Delay):
                late += fault.by
            elif isinstance(fault, Reorder):
                late += fault.within * self._chance("late", index, name, self._suffered[index, name])
        return late

    def copies_at_once(self, work: Work) -> int:
        """Return the number of extra copies of a delivery at the same instant."""
        faults = self._faults((Duplicate,), name_of(work), work.function, later=False)
        return sum(fault.copies for _, fault in faults if isinstance(fault, Duplicate))

    def copies_later(self, work: Work) -> list[timedelta]:
        """Return the delays of a delivery's late copies."""
        faults = self._faults((Duplicate,), name_of(work), work.function, later=True)
        return [
            fault.after * (number + 1)
            for _, fault in faults
            if isinstance(fault, Duplicate) and fault.after is not None
            for number in range(fault.copies)
        ]

    def loses_response(self, work: Work) -> bool:
        """Return whether a delivery's answer is lost."""
        return any(list(self._faults((LoseResponse,), name_of(work), work.function)))

    def outlives_deadline(self, work: Work) -> bool:
        """Return whether a delivery's function goes on after its deadline."""
        return any(list(self._faults((Outlive,), name_of(work), work.function)))

    def failure(self, method: str) -> FailedCalls | None:
        """Return the fault of the next call of a method, or None."""
        with self._lock:
            failing = None
            for index, calls in enumerate(self.script.calls):
                if calls.method != method:
                    continue
                self._calls[index] += 1
                number = self._calls[index] - calls.after
                hit = number > 0 and (calls.times is None or number <= calls.times)
                if hit and failing is None and self._chance("call", index, method, number) < calls.of_calls:
                    failing = calls
            return failing

    def _faults(
        self, kinds: tuple[type[Fault], ...], name: str, url: str, *, later: bool | None = None
    ) -> Iterator[tuple[int, Fault]]:
        """Yield the faults of these kinds that the next delivery suffers, and count each."""
        with self._lock:
            for index, share in enumerate(self.script.deliveries):
                fault = share.fault
                if not isinstance(fault, kinds) or share.url not in url:
                    continue
                if isinstance(fault, Duplicate) and (fault.after is not None) != later:
                    continue
                spent = share.times is not None and self._suffered[index, name] >= share.times
                if not spent and self._chance("share", index, name, 0) < share.of_deliveries:
                    self._suffered[index, name] += 1
                    yield index, fault

    def _chance(self, kind: str, index: int, name: str, number: int) -> float:
        """Return a number from 0 to below 1 that depends only on the seed and these arguments."""
        text = f"{self.script.seed}:{kind}:{index}:{name}:{number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56


def name_of(work: Work) -> str:
    """Return the name of a delivery's task, including its queue, or of a fire's job."""
    return work.job.name if isinstance(work, Fire) else f"{work.queue}/tasks/{work.task.name}"
