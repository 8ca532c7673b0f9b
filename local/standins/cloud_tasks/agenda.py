"""The emulator's agenda: work of the queues and the scheduler, work that people start by hand, and copies."""

import threading
from dataclasses import replace
from datetime import datetime

from local.embedded.agenda import Agenda, Work
from local.embedded.fire import Fire
from local.embedded.response import Response
from local.standins.cloud_tasks.fault_plan import FaultPlan
from local.standins.cloud_tasks.queues import Queues
from local.standins.cloud_tasks.schedules import EmulatedSchedules

STILL_RUNNING = Response(status=504, text="DEADLINE_EXCEEDED, later")
"""Stands for an attempt that is still running when its deadline passes."""


class CloudAgenda(Agenda):
    """Adds work that was handed in to the due work of the queues. Handed-in work is lost when the process ends."""

    def __init__(self, queues: Queues, schedules: EmulatedSchedules, plan: FaultPlan) -> None:
        super().__init__(queues, schedules)
        self._jobs = schedules
        self._plan = plan
        self._lock = threading.Lock()
        self._extra: list[tuple[datetime, Work]] = []

    def hand_in(self, work: Work, at: datetime) -> None:
        """Deliver work at an instant, independently of queues and scheduler."""
        with self._lock:
            self._extra.append((at, work))

    def next_at(self, *, scheduler: bool = True) -> datetime | None:
        """Return when the next work is due, or None; without the scheduler, tasks only."""
        extra = self._first_extra(scheduler=scheduler)
        instants = (super().next_at(scheduler=scheduler), extra and extra[0])
        return min((at for at in instants if at), default=None)

    def take(self, now: datetime, *, scheduler: bool = True) -> Work | None:
        """Take the earliest work that is due; at the same instant, handed-in work comes first."""
        extra, due = self._first_extra(scheduler=scheduler), super().next_at(scheduler=scheduler)
        if extra and extra[0] <= now and (due is None or extra[0] <= due):
            with self._lock:
                self._extra.remove(extra)
            return extra[1]
        work = super().take(now, scheduler=scheduler)
        if work is not None:
            for after in self._plan.copies_later(work):
                self.hand_in(replace(work, deadline=work.deadline + after), now + after)
        return work

    def settle(self, work: Work, response: Response) -> None:
        """Settle work by its answer; if a task was delivered several times, by the first answer.

        An attempt that outlives its deadline is due again when its lease ends.
        """
        if response is STILL_RUNNING:
            return
        if isinstance(work, Fire) and work.manual:
            self._jobs.note(work, response.status)
        else:
            super().settle(work, response)

    def _first_extra(self, *, scheduler: bool) -> tuple[datetime, Work] | None:
        with self._lock:
            fitting = [extra for extra in self._extra if scheduler or not isinstance(extra[1], Fire)]
        return min(fitting, key=lambda extra: extra[0], default=None)
