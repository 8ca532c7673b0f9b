"""Find and report the wrong setting for which FCM refuses an execution's tokens, by the outcomes of all messages."""

from functions.domain.errors import Misconfigured
from functions.domain.execution.safeguards import Finding, Severity, ViolationType, misconfigured
from functions.domain.push.outcomes import FAILED, FAILURES, SENT
from functions.domain.push.shard import Shard
from functions.ports import Ports

_OF_A_SETTING = FAILURES - {FAILED}


def wrong_setting(ports: Ports, own: Shard, *, at_the_end: bool) -> Misconfigured | None:
    """Return the problem if more tokens of all shards are refused than got the message, else None.

    Other shards are read at the end of a shard with refused tokens, and earlier if this shard alone shows a problem.
    """
    project = ports.policy.firebase_project
    refused = any(code in own.outcomes for code in _OF_A_SETTING)
    if not refused or not (at_the_end or misconfigured([own.outcomes], project)):
        return None
    shards = ports.shards.of(own.execution_id)
    others = [shard.outcomes for shard in shards if shard.test is own.test and shard.key != own.key]
    tested = not own.test and any(SENT in shard.outcomes for shard in shards if shard.test)
    return misconfigured([own.outcomes, *others], project, tested=tested)


def setting_finding(error: Misconfigured, action: str) -> Finding:
    """Return the breach that says which setting to change."""
    return Finding(type=ViolationType.MISCONFIGURED, severity=Severity.CRITICAL, message=str(error), action=action)
