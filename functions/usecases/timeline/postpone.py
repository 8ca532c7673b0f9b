"""Put off a task that cannot be done yet: enqueue the task that follows it, so that this one can end.

An answer 503 would make Cloud Tasks slow down the whole queue, and with it the steps of all other executions.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from functions.domain.errors import NotReady, NotYet
from functions.domain.ids import follower_name
from functions.domain.instants import instant, stamp
from functions.ports import Ports
from functions.ports.queue import Task

MOST_FOLLOWERS = 100
"""How many tasks follow one another; the last ones come every minute. After them, reconcile replaces lost tasks."""
PATIENCE = timedelta(minutes=30)
"""How long a missing index or permission may take: building an index, or letting a permission spread."""
_SHORTEST_WAIT, _DOUBLINGS = timedelta(seconds=1), 6
"""The wait between two of them, and how often it doubles: up to 64 seconds."""
_SINCE = "refusedSince"
"""The key of a task's body that says when Google refused the first of the tasks in a row."""


def postpone(ports: Ports, task: Task, why: NotYet | NotReady) -> Task | None:
    """Enqueue the task that follows one that cannot be done yet, and return it; None if it has to be given up.

    Its name comes from the name of the task. So two deliveries of a task add one follower, and a task that is
    delivered again after a crash finds it there. Each follower waits longer than the one before. So even if the
    clock of the queue is ahead and delivers them early too, only a few tasks follow. A step that is overdue, because
    it waits for another one, comes again after as long as it is overdue. The step itself decides whether it comes too
    late.
    """
    name, number = follower_name(task.name)
    now = ports.clock.now()
    since = _refused_since(task, now) if isinstance(why, NotReady) else None
    if number > MOST_FOLLOWERS or (since is not None and now - since >= PATIENCE):
        return None
    body = {key: value for key, value in task.body.items() if key != _SINCE}
    body |= {} if since is None else {_SINCE: stamp(since)}
    follower = replace(task, name=name, body=body, at=_next_attempt(why, number, now))
    ports.tasks.add(follower)
    return follower


def _next_attempt(why: NotYet | NotReady, number: int, now: datetime) -> datetime:
    wait = _SHORTEST_WAIT * (1 << min(number - 1, _DOUBLINGS))
    if isinstance(why, NotReady) or why.perhaps_sooner:
        return now + wait
    if now < why.due_at:
        return max(now + wait, why.due_at)
    return now + min(max(_SHORTEST_WAIT, now - why.due_at), _SHORTEST_WAIT * (1 << _DOUBLINGS))


def _refused_since(task: Task, now: datetime) -> datetime:
    """Return when the tasks in a row were refused first: now, if this is the first one."""
    written = task.body.get(_SINCE)
    try:
        return instant(written) if isinstance(written, str) else now
    except ValueError:
        return now
