"""Verify the new entries of the audit log, and add a checkpoint that says how far each subject's log has come.

A checkpoint names only the subjects that have changed since the one before. So a subject whose whole log is deleted
is still named, and its loss is found.
"""

from functions.domain.alerts.alert import audit_broken
from functions.domain.audit import DAMAGED, Action
from functions.domain.audit_chain import new_problems
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_alert
from functions.usecases.deeds import deed_now
from functions.usecases.reports.verify_audit import BROKEN_HEAD, redactions_of

_MOST_SUBJECTS = 100


def check_audit(ports: Ports) -> None:
    """Verify the entries since the last checkpoint, raise an alert about what is wrong, and add the next checkpoint.

    Without new entries there is none. At most 100 subjects are covered; the next run covers the others.
    """
    try:
        heads = ports.audit.open_heads(most=_MOST_SUBJECTS)
    except DAMAGED:
        raise_alert(ports, audit_broken([f"the log {BROKEN_HEAD}; run tminus audit verify"]), None)
        return
    if not heads:
        return
    new = {head.subject: list(ports.audit.all_of(head.subject, after=head.checked)) for head in heads}
    redacted = any(entry.redactions for entries in new.values() for entry in entries)
    redactions = redactions_of(ports) if redacted else {}
    wrong = [problem.sentence for head in heads for problem in new_problems(head, new[head.subject], redactions)]
    if wrong:
        raise_alert(ports, audit_broken(wrong), None)
    ports.audit.checkpoint(heads, deed_now(ports, "reconcile", Action.CHECKED))
