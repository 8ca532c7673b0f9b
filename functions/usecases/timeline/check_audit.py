"""Verify the new entries of the audit log, and add a checkpoint that says how far each subject's log has come.

A checkpoint names only the subjects that have changed since the one before. So a subject whose whole log is deleted
is still named, and its loss is found.
"""

from functions.domain.alerts.alert import audit_broken
from functions.domain.audit import ERASURES, Action, Deed
from functions.domain.audit_chain import new_problems, redactions_in
from functions.ports import Ports
from functions.usecases.alerting.alert import raise_alert

_MOST_SUBJECTS = 100


def check_audit(ports: Ports) -> None:
    """Verify the entries since the last checkpoint, raise an alert about what is wrong, and add the next checkpoint.

    Without new entries there is none. At most 100 subjects are covered; the next run covers the others.
    """
    heads = ports.audit.open_heads(most=_MOST_SUBJECTS)
    if not heads:
        return
    redactions = redactions_in(ports.audit.all_of(ERASURES))
    wrong = [
        problem.sentence
        for head in heads
        for problem in new_problems(head, ports.audit.all_of(head.subject, after=head.checked), redactions)
    ]
    if wrong:
        raise_alert(ports, audit_broken(wrong), None)
    ports.audit.checkpoint(heads, Deed(by="reconcile", at=ports.clock.now(), action=Action.CHECKED))
