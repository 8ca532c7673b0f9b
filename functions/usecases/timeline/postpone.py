"""Put off a task that came too early: enqueue the task that follows it, so that this one can end.

An answer 503 would make Cloud Tasks slow down the whole queue, and with it the steps of all other executions.
"""

from dataclasses import replace
from datetime import timedelta

from functions.domain.errors import NotYet
from functions.domain.ids import follower_name
from functions.ports import Ports
from functions.ports.queue import Task

MOST_FOLLOWERS = 100
"""How many tasks follow one another; the last ones come every minute. After them, reconcile replaces lost tasks."""
_DOUBLINGS = 6
"""How often the wait between two of them doubles: from one second to 64."""


def postpone(ports: Ports, task: Task, early: NotYet) -> Task | None:
    """Enqueue the task that follows one that came too early, and return it; None after too many.

    Its name comes from the name of the task. So two deliveries of a task add one follower, and a task that is
    delivered again after a crash finds it there. Each follower waits longer than the one before. So even if the
    clock of the queue is ahead and delivers them early too, only a few tasks follow.
    """
    name, number = follower_name(task.name)
    if number > MOST_FOLLOWERS:
        return None
    soon = ports.clock.now() + timedelta(seconds=1 << min(number - 1, _DOUBLINGS))
    follower = replace(task, name=name, at=soon if early.perhaps_sooner else max(soon, early.due_at))
    ports.tasks.add(follower)
    return follower
