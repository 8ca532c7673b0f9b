"""Defects planted on purpose, each in the real code or in an adapter, to see that the simulator finds it.

A defect is what somebody could write by mistake. It is put in for the time of a run, and taken out again.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from functions.domain import cadence, ledger
from functions.domain.execution import Execution, State
from functions.usecases.held_shard import HeldShard
from local.simulator.memory.documents import MemoryCadenceLedger
from local.simulator.memory.executions import MemoryExecutionStore
from local.simulator.memory.files import MemoryAudienceFiles
from local.simulator.phones import Phones

Change = tuple[object, str, Callable[[Any], Any]]
"""An owner, the name of an attribute of it, and what makes the defective one of the right one."""


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A planted defect: its name, what it breaks in words, and the changes that make it."""

    name: str
    means: str
    changes: tuple[Change, ...]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have the defect while inside."""
        right = [(owner, name, getattr(owner, name)) for owner, name, _ in self.changes]
        try:
            for owner, name, make in self.changes:
                setattr(owner, name, make(getattr(owner, name)))
            yield
        finally:
            for owner, name, value in right:
                setattr(owner, name, value)


def _module(name: str) -> Any:
    return importlib.import_module(f"functions.usecases.{name}")


def _create_anyway(_: Any) -> Any:
    def create(self: MemoryExecutionStore, execution: Execution) -> bool:
        self._keep(execution)
        return True

    return create


def _no_condition_on_state(_: Any) -> Any:
    def save_shard(self: MemoryExecutionStore, shard: Any, *, only_while: State) -> Any:  # noqa: ARG001
        return self.settle_shard(shard)

    return save_shard


def _no_condition_on_version(_: Any) -> Any:
    def write_shard(self: MemoryExecutionStore, shard: Any) -> Any:
        written = replace(shard, version=shard.version + 1)
        self._shards[shard.execution_id][shard.key] = written
        self._note_lease(written)
        return written

    return write_shard


def _intent_after_send(_: Any) -> Any:
    def save(self: HeldShard, outcomes: bytes) -> None:
        if any(code in b"IJ" for code in outcomes):
            self.shard = replace(self.shard, outcomes=outcomes)
            return
        lease = self._ports.clock.now() + timedelta(seconds=60)
        written = replace(self.shard, outcomes=outcomes, lease_until=lease)
        self.shard = self._ports.executions.save_shard(written, only_while=self._only_while)

    return save


def _lost_is_not_reached(_: Any) -> Any:
    return property(lambda self: self.outcomes.replace(b"I", b"."))


def _checkpoint_trusts_what_it_read(right: Any) -> Any:
    """The decision is taken on what was read before, and written over what has happened since."""

    def change(self: Any, execution_id: str, change: Callable[[Execution], Execution]) -> Execution:
        if change.__name__ != "go":
            done: Execution = right(self, execution_id, change)
            return done
        stored = self._executions[execution_id]
        tested = replace(stored, state=State.TESTED) if stored.state is State.CANCELLED else stored
        gone = change(tested)
        self._keep(gone)
        return gone

    return change


def _reserve_without_transaction(_: Any) -> Any:
    def transact(self: MemoryCadenceLedger, partition: int, days: Any, change: Any) -> Any:
        seen = getattr(self, "stale", {})
        stale = {day: seen.get((partition, day), b"") for day in days}
        written, result = change(stale)
        self.stale = dict(self._days)  # type: ignore[attr-defined]
        self._days.update({(partition, day): packed for day, packed in written.items()})
        return result

    return transact


def _reserve_after_looking(right: Any) -> Any:
    """Each shard looks at the ledger, and writes what it reserves without looking at what others reserved."""

    def reserve(days: Any, push: Any, users: Any, rules: Any) -> Any:
        return right(dict.fromkeys(days, b""), push, users, rules)

    return reserve


def _never_give_back(_: Any) -> Any:
    return lambda *_args, **_named: None


def _retry_in_transport(right: Any) -> Any:
    def request(self: Phones, envelope: Any, message: Any, caller: str, *, over: bool) -> Any:
        outcome, trouble = right(self, envelope, message, caller, over=over)
        if outcome.value == "unknown":
            return right(self, envelope, message, f"{caller} again", over=over)
        return outcome, trouble

    return request


def _overwrite(_: Any) -> Any:
    def write_once(self: MemoryAudienceFiles, name: str, source: Any) -> Any:
        self._files.pop(name, None)
        return _write_once(self, name, source)

    return write_once


_write_once = MemoryAudienceFiles.write_once


def _local_arithmetic(right: Any) -> Any:
    """The offset of the day before is taken for that of the day."""

    def instant_of(local: Any, zone: Any) -> Any:
        offset = right(local - timedelta(days=1), zone)
        return offset + timedelta(days=1)

    return instant_of


def _always_ready(_: Any) -> Any:
    return lambda _run: True


def _no_window(_: Any) -> Any:
    return lambda _ports, run: run.execution.send_at


def _never_too_late(_: Any) -> Any:
    return lambda _self, _due_at, _now: False


def _due_at_once(right: Any) -> Any:
    return lambda run, push: right(run, push) - timedelta(minutes=5)


def _forget_tests(right: Any) -> Any:
    """The outcome of the test send is not kept: what was sent before is not known again."""

    def create_shard(self: MemoryExecutionStore, shard: Any) -> Any:
        if shard.test:
            self._shards[shard.execution_id].pop(shard.key, None)
        return right(self, shard)

    return create_shard


def _never_mind_the_test(_: Any) -> Any:
    return lambda _ports, _run: None


def _no_safeguards(_: Any) -> Any:
    return lambda *_: []


def _do_nothing(_: Any) -> Any:
    return lambda *_args, **_named: None


def _nobody(_: Any) -> Any:
    return lambda *_args, **_named: []


def _nothing_lost(_: Any) -> Any:
    return lambda *_: False


def _all_alive(_: Any) -> Any:
    return lambda *_: frozenset()


def _first_push_only(right: Any) -> Any:
    return lambda layer, rules: right(layer, rules)[:1]


def _dry_run_is_live(_: Any) -> Any:
    return property(lambda _self: False)


def _complete_with_rest(_: Any) -> Any:
    return property(lambda _self: 0)


def _forget_doubt(_: Any) -> Any:
    return lambda _before, code: code


DEFECTS = (
    Defect(
        name="no create precondition",
        means="a second launch of a send overwrites the first one's execution",
        changes=((MemoryExecutionStore, "create", _create_anyway),),
    ),
    Defect(
        name="intent after send",
        means="a chunk's INTENT is stored only once its messages have left",
        changes=((HeldShard, "save", _intent_after_send),),
    ),
    Defect(
        name="a lost intent counts as not reached",
        means="what a dead worker had under way is sent again",
        changes=((_module("held_shard").Shard, "settled", _lost_is_not_reached),),
    ),
    Defect(
        name="no condition on the state",
        means="chunks start after a stop",
        changes=((MemoryExecutionStore, "save_shard", _no_condition_on_state),),
    ),
    Defect(
        name="no condition on the version",
        means="a worker that lost its shard writes it",
        changes=((MemoryExecutionStore, "_write_shard", _no_condition_on_version),),
    ),
    Defect(
        name="cancel not rechecked",
        means="the checkpoint goes over a cancel that came while it decided",
        changes=((MemoryExecutionStore, "change", _checkpoint_trusts_what_it_read),),
    ),
    Defect(
        name="reservation without transaction",
        means="the ledger is read before, and written over what others have written since",
        changes=((MemoryCadenceLedger, "transact", _reserve_without_transaction),),
    ),
    Defect(
        name="reservation without a look",
        means="a push is reserved whatever is reserved already",
        changes=((ledger, "reserve", _reserve_after_looking),),
    ),
    Defect(
        name="one rule of several",
        means="only the first of the cadence rules that act on a push is asked",
        changes=((cadence, "rules_for", _first_push_only),),
    ),
    Defect(
        name="reservations never given back",
        means="who was not sent to is held back from other pushes",
        changes=((_module("deliver"), "give_back", _never_give_back),),
    ),
    Defect(
        name="retry in transport",
        means="a request without an answer is made again",
        changes=((Phones, "_request", _retry_in_transport),),
    ),
    Defect(
        name="audience overwritten",
        means="a second build replaces the audience that people were shown",
        changes=((MemoryAudienceFiles, "write_once", _overwrite),),
    ),
    Defect(
        name="local-time arithmetic",
        means="24 hours are added to the send of yesterday",
        changes=((importlib.import_module("functions.domain.schedule"), "instant_of", _local_arithmetic),),
    ),
    Defect(
        name="no dedup in send_test",
        means="a repeated test send sends again",
        changes=((MemoryExecutionStore, "create_shard", _forget_tests),),
    ),
    Defect(
        name="test not required",
        means="a failed test send does not block",
        changes=((_module("send_test"), "_send_all", _never_mind_the_test),),
    ),
    Defect(
        name="live without test",
        means="the checkpoint does not ask for the test send",
        changes=((_module("checkpoint"), "_ready", _always_ready),),
    ),
    Defect(
        name="no cancellation window",
        means="what started late goes live without a window to cancel it",
        changes=((_module("checkpoint"), "_window_over_at", _no_window),),
    ),
    Defect(
        name="never too late",
        means="what comes hours late is sent all the same",
        changes=((_module("steps").Run, "too_late", _never_too_late),),
    ),
    Defect(
        name="pushes not awaited",
        means="a push that comes early is sent early",
        changes=(
            (_module("send_push"), "push_due_at", _due_at_once),
            (_module("send_shard"), "push_due_at", _due_at_once),
        ),
    ),
    Defect(
        name="no safeguard of sizes",
        means="an audience that is too large is sent to",
        changes=((_module("build_audience"), "audience_findings", _no_safeguards),),
    ),
    Defect(
        name="pause leaves the execution",
        means="a recipe that was paused before T-0 is sent",
        changes=(
            (_module("recipes"), "cancel_before_live", _nobody),
            (_module("reconcile"), "cancel_before_live", _nobody),
        ),
    ),
    Defect(
        name="tasks not renewed",
        means="a task that was lost is lost for good",
        changes=((_module("reconcile"), "_lost", _nothing_lost),),
    ),
    Defect(
        name="missed sends not launched",
        means="a start that the scheduler forgot is forgotten",
        changes=((_module("reconcile"), "_launch_missed", _nobody),),
    ),
    Defect(
        name="tokens kept",
        means="device tokens are not deleted at cleanup",
        changes=((MemoryAudienceFiles, "delete", _do_nothing),),
    ),
    Defect(
        name="dead tokens forgotten",
        means="a token that FCM has called dead is sent to again",
        changes=((_module("rows"), "dead_keys", _all_alive),),
    ),
    Defect(
        name="dry run sends",
        means="the live phase of a test-mode recipe reaches people",
        changes=((_module("delivery").Delivery, "dry_run", _dry_run_is_live),),
    ),
    Defect(
        name="completed too early",
        means="an execution is completed while people are still to be reached",
        changes=(
            (_module("finish"), "_at_work", _nothing_lost),
            (_module("finish").Tally, "not_reached", _complete_with_rest),
        ),
    ),
    Defect(
        name="a second doubt forgotten",
        means="onUnknown: resend sends a third time",
        changes=((_module("send_chunks"), "result", _forget_doubt),),
    ),
)
