"""End an execution that this release cannot read, such as one of a newer release that was rolled back.

None of its steps can run, but it keeps device tokens and counts as running. It stays failed, even if a later release
can read it.
"""

from functools import partial

from functions.domain.errors import BadAudience
from functions.domain.execution.execution import Execution
from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.ids import push_key
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.sending.deliver import close
from functions.usecases.sending.reserve import withdraw
from functions.usecases.timeline.clean_up import clean_up
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.steps import load_execution


def fail_unreadable(ports: Ports, execution_id: str, why: str) -> Execution:
    """Fail an execution without its recipe. A repeat, or one that has ended, returns it unchanged.

    Any step does this. Only `finish` has the rights to clean up, and does so at its time, or when reconcile asks.
    """
    execution = load_execution(ports, execution_id)
    if execution.cleaned:
        return execution
    now, finding = ports.clock.now(), _finding(why)
    if execution.unreadable or not execution.state.final:
        breach(ports, execution, Phase.CLEANUP, finding)
    return ports.executions.change(execution_id, lambda current: current.failed_unread(now, finding.message))


def end_unreadable(ports: Ports, execution_id: str, why: str) -> Execution:
    """Fail an execution without its recipe, and clean up after it at once. A repeat returns it unchanged.

    An execution that has ended is only cleaned up. NotYet while a worker holds a shard.
    """
    execution = fail_unreadable(ports, execution_id, why)
    return execution if execution.cleaned else clean_up(ports, execution_id, partial(_close, ports, execution))


def _finding(why: str) -> Finding:
    return Finding(type=ViolationType.UNREADABLE, severity=Severity.CRITICAL, message=why, action="failed")


def _close(ports: Ports, execution: Execution, files: PushFiles, shard: Shard) -> Shard:
    return close(ports, shard, None if shard.test else partial(_give_back, ports, execution, files))


def _give_back(ports: Ports, execution: Execution, files: PushFiles, shard: Shard) -> None:
    key = push_key(execution.id, shard.push)
    try:
        withdraw(ports, key, files.live, shard, execution.send_at)
    except BadAudience as error:
        message = f"push {shard.push}: reservations of users who were not sent to are kept: {error}"
        note(ports, execution.id, Phase.CLEANUP, message, "warning")
