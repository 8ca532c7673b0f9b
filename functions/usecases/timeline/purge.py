"""Delete what has been kept long enough: executions with all that belongs to them, alerts, request keys, the
ledger, and uploaded files.

`docs/privacy.md` has the table of retentions.
"""

from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.by_hand.kept_uploads import forget_old_uploads

_MOST = 20
"""How many executions one run of reconcile deletes: it has three minutes, and an execution may have 1,000 shards."""


def purge(ports: Ports) -> None:
    """Delete the oldest executions that were sent longer ago than EXECUTION_RETENTION_DAYS, and what has expired.

    An execution that has not ended is kept. After a crash the next run goes on: the execution itself is deleted last.
    """
    now = ports.clock.now()
    old = ExecutionSearch(until=now - ports.policy.executions_kept)
    for execution in ports.executions.search(old, most=_MOST, oldest_first=True):
        if execution.state.final and execution.cleaned:
            ports.files.expire(execution.id)
            ports.expiry.delete_execution(execution.id)
    ports.expiry.expire(now)
    forget_old_uploads(ports)
