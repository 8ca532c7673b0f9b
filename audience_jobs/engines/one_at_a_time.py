"""Lets one audience job run at a time in a process, because each may take most of the process's memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from time import monotonic

from audience_jobs.contract import Engine, Job, JobRun
from audience_jobs.errors import Busy


class Turn:
    """The right to run jobs in this process. The thread that has it may take it again, as within a run.

    A job waits `wait_seconds` for the one before it. All its statements end within `run_seconds`, so that no attempt
    outlives its request: Cloud Run closes the connection at a request's timeout, but does not end the work.
    """

    def __init__(self, *, wait_seconds: float, run_seconds: float) -> None:
        self._wait_seconds, self._run_seconds = wait_seconds, run_seconds
        self._lock, self._depth, self._ends = RLock(), 0, 0.0

    @contextmanager
    def taken(self) -> Iterator[float]:
        """Yield the seconds that are left for the whole run; Busy if another thread keeps the turn for too long."""
        if not self._lock.acquire(timeout=self._wait_seconds):
            raise Busy(self._wait_seconds)
        try:
            if not self._depth:
                self._ends = monotonic() + self._run_seconds
            self._depth += 1
            try:
                yield max(0.0, self._ends - monotonic())
            finally:
                self._depth -= 1
        finally:
            self._lock.release()


class OneAtATime:
    """An Engine whose jobs run one after another, as they get the turn."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._engine, self._turn = engine, turn

    @contextmanager
    def run(self, job: Job, arguments: Mapping[str, object], *, now: datetime) -> Iterator[JobRun]:
        """Run the job once, as at `now`; see Engine.run. Raises Busy, too."""
        with self._turn.taken() as seconds, self._engine.within(seconds).run(job, arguments, now=now) as found:
            yield found

    def write_devices_of(
        self, user_ids: Sequence[str], path: Path, *, per_user: int, topic: str | None = None, locales: bool = False
    ) -> int:
        """Write the devices of these users; see Engine.write_devices_of. Raises Busy, too."""
        with self._turn.taken() as seconds:
            engine = self._engine.within(seconds)
            return engine.write_devices_of(user_ids, path, per_user=per_user, topic=topic, locales=locales)

    def within(self, seconds: float) -> "OneAtATime":
        """Return the same engine, whose queries end within `seconds` from now; see Engine.within."""
        return OneAtATime(self._engine.within(seconds), self._turn)
