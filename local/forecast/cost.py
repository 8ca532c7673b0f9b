"""The cost of a run's calls on Google Cloud, without the functions' time."""

from functions.domain.cost import DAYS_READ, Use

_NOTHING = Use()
_OF_CALL = {
    "recipes.get": Use(document_reads=1),
    "recipes.all": Use(document_reads=1),
    "recipes.change": Use(document_reads=2, document_writes=2),
    "recipes.plans": Use(document_reads=1),
    "recipes.plan": Use(document_reads=2, document_writes=1),
    "executions.create": Use(document_writes=1),
    "executions.get": Use(document_reads=1),
    "executions.change": Use(document_reads=1, document_writes=1),
    "executions.unfinished": Use(document_reads=1),
    "shards.save_push": Use(document_writes=1),
    "shards.push": Use(document_reads=1),
    "shards.pushes": Use(document_reads=1),
    "shards.create": Use(document_reads=1, document_writes=1),
    "shards.get": Use(document_reads=1),
    "shards.progress": Use(document_reads=1),
    "shards.under_way": Use(document_reads=1),
    "shards.save": Use(document_reads=1, document_writes=1),
    "shards.settle": Use(document_writes=1),
    "shards.of": Use(document_reads=1),
    "logs.add": Use(document_writes=1),
    "executions.accounted_until": Use(document_reads=1),
    "executions.account_until": Use(document_reads=1, document_writes=1),
    "executions.count": Use(document_reads=1),
    "violations.record": Use(document_writes=1),
    "ledger.transact": Use(document_reads=DAYS_READ, document_writes=1),
    "ledger.rules": Use(document_reads=1),
    "devices.graves": Use(document_reads=1),
    "devices.bury": Use(document_reads=1, document_writes=1),
    "testers.all": Use(document_reads=1),
    "testers.change": Use(document_reads=3, document_writes=3),
    "accesses.add": Use(document_writes=1),
    "audit.open_heads": Use(document_reads=1),
    "audit.all_of": Use(document_reads=3),
    "audit.checkpoint": Use(document_reads=3, document_writes=4),
    "tasks.add": Use(task_operations=2),
    "files.write_once": Use(file_writes=1),
    "files.read": Use(file_reads=1),
    "files.lines": Use(file_reads=1),
}


def use_of_call(call: str) -> Use:
    """Return the approximate billed operations of one call of a port."""
    return _OF_CALL.get(call, _NOTHING)
