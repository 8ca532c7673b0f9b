"""Changes that turn correct code into defective code: each takes a correct function and returns a wrong one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from functions.domain.execution.execution import Execution, State
from functions.domain.instants import instant
from functions.domain.push.outcomes import Outcome
from functions.domain.push.rule_bytes import rule_bytes
from functions.stores import documents
from functions.stores.audit import DocumentAuditLog
from functions.stores.executions import EXECUTIONS
from functions.stores.ledger import DAYS, PackedDay
from functions.stores.shards import SHARDS, DocumentShardStore
from functions.usecases.sending.held_shard import HeldShard
from local.memory.executions import MemoryExecutionStore
from local.memory.files import MemoryAudienceFiles
from local.memory.ledger import MemoryCadenceLedger
from local.simulator.play.phones import Phones


def create_anyway(_: Any) -> Any:
    """Create an execution even if it exists."""

    def create(self: MemoryExecutionStore, execution: Execution, _: object = None) -> bool:
        self._documents.put(EXECUTIONS.at(execution.id), execution)
        return True

    return create


def no_entry(_: Any) -> Any:
    """Change a document without an entry of the audit log."""

    def change_one(
        self: DocumentAuditLog, _: str, place: Any, change: Any, *__: Any, missing: str, **___: Any
    ) -> Any:
        return documents.change_one(self._documents, place, change, missing=missing)

    return change_one


def no_condition_on_state(_: Any) -> Any:
    """Write a shard in any state of its execution."""

    def save(self: DocumentShardStore, shard: Any, *, only_while: State) -> Any:  # noqa: ARG001
        return self.settle(shard)

    return save


def no_condition_on_version(right: Any) -> Any:
    """Write a shard at any version."""

    def write(self: DocumentShardStore, shard: Any, **options: Any) -> Any:
        stored = self.get(shard.execution_id, shard.key)
        return right(self, replace(shard, version=stored.version) if stored else shard, **options)

    return write


def intent_after_send(_: Any) -> Any:
    """Keep an INTENT in memory, and store only the outcomes, afterwards."""

    def save(self: HeldShard, outcomes: bytes) -> None:
        if any(code in b"IJ" for code in outcomes):
            self.shard = replace(self.shard, outcomes=outcomes)
            return
        lease = self._ports.clock.now() + self._ports.policy.lease
        written = replace(self.shard, outcomes=outcomes, lease_until=lease)
        self.shard = self._ports.shards.save(written, only_while=self._only_while)

    return save


def lost_is_not_reached(_: Any) -> Any:
    """Treat an INTENT without RESULT as a row that was not reached."""
    return property(lambda self: self.outcomes.replace(b"I", b"."))


def checkpoint_trusts_what_it_read(right: Any) -> Any:
    """Decide on the state that was read earlier, and overwrite later changes."""

    def change(self: Any, execution_id: str, change: Callable[[Execution], Execution]) -> Execution:
        stored = self.get(execution_id)
        if stored.state is State.CANCELLED:
            decided = change(replace(stored, state=State.TESTED))
            if decided.state is State.LIVE:
                self._documents.put(EXECUTIONS.at(execution_id), decided)
                return decided
        done: Execution = right(self, execution_id, change)
        return done

    return change


def reserve_without_transaction(_: Any) -> Any:
    """Read an old state of the ledger, and overwrite the present one."""

    def transact(self: MemoryCadenceLedger, partition: int, days: Any, change: Any) -> Any:
        seen = getattr(self, "stale", {})
        stale = {day: seen.get((partition, day), b"") for day in days}
        written, result = change(stale)
        self.stale = self.all_days()  # type: ignore[attr-defined]
        for day, packed in written.items():
            self._documents.put(DAYS.at(partition, day), PackedDay(packed, day))
        return result

    return transact


def reserve_after_looking(right: Any) -> Any:
    """Reserve for all users, without applying a rule to existing reservations."""

    def reserve(days: Any, push: Any, users: Any, _rules: Any) -> Any:
        return right(days, push, users, ())

    return reserve


def never_give_back(_: Any) -> Any:
    """Never give a reservation back."""
    return lambda *_args, **_named: None


def retry_in_transport(right: Any) -> Any:
    """Repeat a request that had no answer."""

    def request(self: Phones, envelope: Any, message: Any, caller: str, *, over: bool) -> Any:
        outcome, trouble = right(self, envelope, message, caller, over=over)
        if outcome.value == "unknown":
            return right(self, envelope, message, f"{caller} again", over=over)
        return outcome, trouble

    return request


def bury_strays(right: Any) -> Any:
    """Treat a token of another project as dead."""

    def request(self: Phones, envelope: Any, message: Any, caller: str, *, over: bool) -> Any:
        outcome, trouble = right(self, envelope, message, caller, over=over)
        return (Outcome.DEAD_TOKEN if outcome is Outcome.WRONG_PROJECT else outcome), trouble

    return request


def overwrite(_: Any) -> Any:
    """Replace an existing file."""

    def write_once(self: MemoryAudienceFiles, name: str, source: Any) -> Any:
        self._files.pop(name, None)
        return _write_once(self, name, source)

    return write_once


_write_once = MemoryAudienceFiles.write_once


def local_arithmetic(right: Any) -> Any:
    """Use the UTC offset of the day before."""

    def instant_of(local: Any, zone: Any) -> Any:
        offset = right(local - timedelta(days=1), zone)
        return offset + timedelta(days=1)

    return instant_of


def ready_without_test(right: Any) -> Any:
    """Let the checkpoint wait for the audience only."""
    return lambda run: right(run) or run.execution.state is State.AUDIENCE_READY


def no_window(_: Any) -> Any:
    """End the window at T-0, however late it began."""
    return lambda self, _shortest: self.execution.send_at


def never_too_late(_: Any) -> Any:
    """Treat nothing as late."""
    return lambda _self, _due_at, _now: False


def cannot_wait(_: Any) -> Any:
    """Return that an execution cannot wait."""
    return lambda _ports, run: run.execution.send_at - timedelta(days=1)


def waiting_counts_for_nothing(right: Any) -> Any:
    """Count only earlier executions that have begun, so that a later one may start first."""
    return lambda ports, run, earlier: right(ports, run, [other for other in earlier if not other.waiting])


def due_at_once(right: Any) -> Any:
    """Treat a push as due five minutes early."""
    return lambda run, push: right(run, push) - timedelta(minutes=5)


def forget_tests(right: Any) -> Any:
    """Do not keep the outcomes of the test send, so that a repeat does not know what was sent."""

    def create(self: Any, shard: Any) -> Any:
        if shard.test:
            self._documents.delete(SHARDS.at(shard.execution_id, shard.key))
        return right(self, shard)

    return create


def never_mind_the_test(_: Any) -> Any:
    """Send no test, and report success."""
    return lambda _ports, _run: None


def no_safeguards(_: Any) -> Any:
    """Accept audiences of any size."""
    return lambda *_: []


def do_nothing(_: Any) -> Any:
    """Do nothing."""
    return lambda *_args, **_named: None


def nobody(_: Any) -> Any:
    """Find nothing."""
    return lambda *_args, **_named: []


def nothing_lost(_: Any) -> Any:
    """Say no."""
    return lambda *_: False


def everybodys_phone(_: Any) -> Any:
    """Treat every token that a user ever registered as the user's own."""
    return lambda self, user_id: self._tokens.get(user_id, ())


def regardless_of_topic(right: Any) -> Any:
    """Ask for devices as for pushes without a topic."""
    return lambda self, audience, path, *, per_user, **_: right(self, audience, path, per_user=per_user, topic="")


def all_alive(_: Any) -> Any:
    """Treat every token as alive."""
    return lambda *_: False


def buried_for_good(right: Any) -> Any:
    """Ignore when a token was registered."""
    return lambda self, token, _registered: right(self, token, "")


def bury_alone(right: Any) -> Any:
    """Drop the existing graves."""

    def bury(_graves: bytes, tokens: Any, at: Any) -> Any:
        return right(b"", tokens, at)

    return bury


def first_push_only(right: Any) -> Any:
    """Return the first rule only."""
    return lambda layer, rules: right(layer, rules)[:1]


def dry_run_is_live(_: Any) -> Any:
    """Treat a dry run as live."""
    return property(lambda _self: False)


def complete_with_rest(_: Any) -> Any:
    """Count no user as not reached."""
    return property(lambda _self: 0)


def bytes_of_now(right: Any) -> Any:
    """Read the rows of an execution by the rules of now, whatever they were when it began."""

    def read_built(ports: Any, execution: Execution) -> Any:
        reasons = (rule.reason for rule in ports.workspace.cadence.rules)
        return replace(right(ports, execution), rules=rule_bytes(reasons))

    return read_built


def forget_doubt(_: Any) -> Any:
    """Treat a second request as a first one."""
    return lambda _before, code: code


def whichever_came_first(_: Any) -> Any:
    """Treat every other execution as an earlier one."""
    return lambda self, other: self.id != other.id


def only_starts_after_the_save(right: Any) -> Any:
    """Start due sends, except those whose start had passed when the recipe was saved."""

    def start_due(ports: Any, recipe: Any, *rest: Any) -> Any:
        saved_at = instant(recipe.document()["updatedAt"])
        first = recipe.first_send_at
        return iter(()) if first and first - recipe.schedule.lead < saved_at else right(ports, recipe, *rest)

    return start_due


def linked_to_nothing(right: Any) -> Any:
    """Link each entry as if it were the first one."""

    def linked(entry: Any, head: Any, make_salt: Any) -> Any:
        done, moved = right(entry, None if head is None else replace(head, hash=""), make_salt)
        return done, moved

    return linked


def head_stays(right: Any) -> Any:
    """Move the head only every second time."""

    def linked(entry: Any, head: Any, make_salt: Any) -> Any:
        done, moved = right(entry, head, make_salt)
        return done, moved if head is None or entry.number % 2 else head

    return linked


def nothing(_: Any) -> Any:
    """Find nothing."""
    return lambda *_args, **_named: None
