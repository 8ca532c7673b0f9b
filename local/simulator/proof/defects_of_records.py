"""Planted defects of what Tminus records for people: announced, skipped and moved sends, and the audit log."""

from functions.domain import audit_chain
from functions.domain.recipe import moved as recipe_moved
from functions.domain.recipe import schedule
from functions.stores.audit import DocumentAuditLog
from functions.usecases.recipes import moved
from functions.usecases.timeline import orphans, reconcile
from local.simulator.proof import mutations
from local.simulator.proof.defect import Defect
from local.simulator.proof.planting import Change

RECORDS = (
    Defect(
        name="plans not renewed",
        means="the announced sends stay those of the last save, whatever happens",
        sentence=r" is planned ",
        changes=(Change(reconcile.plan_sends, mutations.do_nothing),),
    ),
    Defect(
        name="skip forgotten",
        means="a send that a person skipped goes out",
        sentence=r"^it went live although its send had been skipped before$",
        favours=("skip", "calm", "sends often"),
        changes=(Change(schedule.is_skipped, mutations.nothing_lost),),
    ),
    Defect(
        name="a moved send stays beside its copy",
        means="a send that a person moved and restored goes out at both times",
        sentence=r"^a send that was moved went out twice: ",
        favours=("shift", "restore", "calm", "sends often"),
        changes=(
            Change(moved.moved_to, mutations.do_nothing),
            Change(recipe_moved.moved_from, mutations.do_nothing),
            Change(orphans.went_live, mutations.do_nothing),
        ),
    ),
    Defect(
        name="the chain forks",
        means="an entry of the audit log is linked to the first one, not to the last",
        sentence=r"^the audit log does not verify: entry \d+ of \S+ does not follow",
        changes=(Change(audit_chain.linked, mutations.linked_to_nothing),),
    ),
    Defect(
        name="a cancel without an entry",
        means="the audit log does not say who cancelled or stopped an execution",
        sentence=r"^a person ended it, and the audit log does not say so$",
        changes=(Change(DocumentAuditLog.change_one, mutations.no_entry),),
    ),
    Defect(
        name="the head stays behind",
        means="the head of a subject's log does not move with each entry, so that a dropped last one would be missed",
        sentence=r"^the audit log does not verify: entry \d+ of \S+ is beyond the head of its log",
        changes=(Change(audit_chain.linked, mutations.head_stays),),
    ),
)
