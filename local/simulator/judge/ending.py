"""Checks after a run: everything has ended, the books agree, and nothing is left over."""

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from functions.domain.alerts.outgoing import Fate
from functions.domain.alerts.payload import Links, payload
from functions.domain.audit import Action
from functions.domain.cadence.ledger import reserved
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.ids import push_key, user_key
from functions.domain.push.outcomes import word
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.read import read
from functions.ports import Ports
from functions.ports.shards import ShardStore
from functions.ports.violations import ViolationStore
from functions.usecases.alerting.cancel_by_link import WHY
from functions.usecases.recipes.save import schedule_name
from functions.usecases.reports.receipt import receipt_name
from functions.usecases.reports.verify_audit import audit_sentences, verify_audit
from functions.usecases.timeline.steps import timeline_of
from local.memory.alerts import MemoryAlertStore, MemoryChannels
from local.memory.executions import MemoryExecutionStore
from local.memory.files import MemoryAudienceFiles
from local.memory.ledger import MemoryCadenceLedger
from local.memory.schedules import MemorySchedules
from local.simulator.judge.contract import Contract
from local.simulator.judge.oracle import sends
from local.simulator.play.operators import ASKED

SLACK = timedelta(minutes=30)
"""The extra time that an execution may take to end: a lease, reconcile, and a queue's longest wait."""
_PLANNED = timedelta(days=3)
"""How far ahead plans of sends are judged."""
_OF_NO_RULE = frozenset(
    """invalid_user_id duplicate_user_id opted_out no_token dead_token missing_variable payload_too_large
    bad_link""".split()
)
"""Why users are left out, other than by a cadence rule."""
_ENDS = (Action.CANCELLED, Action.STOPPED)
_MAY_HAVE_ARRIVED = frozenset(b"SIULJVM")

Broken = Callable[[str, str], None]


class Ending:
    """Judges a finished run by the raw stores."""

    def __init__(
        self,
        contract: Contract,
        broken: Broken,
        *,
        ports: Ports,
        executions: MemoryExecutionStore,
        shards: ShardStore,
        violations: ViolationStore,
        ledger: MemoryCadenceLedger,
        files: MemoryAudienceFiles,
        schedules: MemorySchedules,
        alerts: MemoryAlertStore,
        channels: MemoryChannels,
        refused: Collection[str] = (),
    ) -> None:
        self._contract, self._broken = contract, broken
        self._ports, self._recipes, self._executions, self._ledger = ports, ports.recipes, executions, ledger
        self._shards, self._violations = shards, violations
        self._files, self._schedules = files, schedules
        self._alerts, self._channels = alerts, channels
        self._refused = refused

    def judge(self, *, quiet_since: datetime, now: datetime) -> None:
        """Judge every execution that had time to end since the last fault, and whatever is left over."""
        for execution in self._executions.all():
            run = read(execution.recipe)
            bound = timeline_of(run, execution.send_at).finish_at + timedelta(
                minutes=run.settings.max_lateness_minutes + 10
            )
            if max(bound, quiet_since) + SLACK > now:
                continue
            if not (execution.state.final and execution.cleaned):
                state = f"{execution.state}{'' if execution.cleaned else ', not cleaned up'}"
                since = "a new release refused it" if execution.id in self._refused else "it should have ended"
                self._broken(execution.id, f"it is {state} long after {since}")
                continue
            self._judge_execution(execution)
        self._judge_schedules()
        self._judge_plans(now)
        self._judge_alerts()
        self._judge_deeds()
        for problem in audit_sentences(verify_audit(self._ports)):
            self._broken("", f"the audit log does not verify: {problem}")

    def _judge_deeds(self) -> None:
        """Check that the audit log has every execution that a person ended."""
        audit = self._ports.audit
        entries = (entry for subject in audit.subjects() for entry in audit.all_of(subject))
        logged = {(entry.after or {}).get("executionId") for entry in entries if entry.deed.action in _ENDS}
        for execution in self._executions.all():
            by_person = execution.reason in (ASKED, WHY) and execution.state in (State.CANCELLED, State.STOPPED)
            if by_person and execution.id not in logged:
                self._broken(execution.id, "a person ended it, and the audit log does not say so")

    def _judge_execution(self, execution: Execution) -> None:
        pushes = range(1, len(read(execution.recipe).pushes) + 1)
        shards = self._shards.of(execution.id)
        for push in pushes:
            mine = [shard for shard in shards if shard.push == push and not shard.test]
            self._judge_push(execution, push, mine)
            self._judge_test(execution, [shard for shard in shards if shard.push == push and shard.test])
        if execution.state is State.COMPLETED and any(b"." in shard.outcomes for shard in shards if not shard.test):
            self._broken(execution.id, "it is completed although users were not reached")
        self._judge_project(execution, shards)
        self._judge_tokens(execution)
        self._judge_end_alert(execution)
        self._judge_receipt(execution, shards)

    def _judge_project(self, execution: Execution, shards: Iterable[Shard]) -> None:
        """Check that a setting which is wrong for all users ends the execution with a violation.

        The violation is missing if a person cancels or stops the execution before its step is repeated.
        """
        ended_otherwise = execution.state in (State.CANCELLED, State.STOPPED, State.EXPIRED)
        outcomes = {test: [shard.outcomes for shard in shards if shard.test is test] for test in (True, False)}
        tested = any(b"S" in rows for rows in outcomes[True])
        for test, excused in ((True, 0), (False, int(tested))):
            alone, code = max(((rows.count(code), code) for rows in outcomes[test] for code in b"PT"), default=(0, 0))
            of_all = {ord("P"): "all tokens belong to another project", ord("T"): "FCM has a key for no token"}.get(
                code
            )
            if alone <= excused or any(b"S" in rows for rows in outcomes[test]):
                continue
            violations = self._violations.of(execution.id)
            if not ended_otherwise and not any(one.finding.type.value == "misconfigured" for one in violations):
                self._broken(execution.id, f"no violation says that {of_all}")
            if not test and execution.state is State.COMPLETED:
                self._broken(execution.id, f"it went on although {of_all}")

    def _judge_end_alert(self, execution: Execution) -> None:
        """Check the alert about the end of an execution: its totals, or the reason."""
        kinds = {one.alert.kind for one in self._alerts.all() if one.alert.execution_id == execution.id}
        done = "test_sent" if execution.kind is Kind.TEST else "finished"
        kind = done if execution.state is State.COMPLETED else execution.state.value
        safeguards = {"failure_rate", "misconfigured"} if execution.state is State.STOPPED else set()
        if not kinds & {kind, *safeguards}:
            self._broken(execution.id, f"no alert says that it is {execution.state}, only {sorted(kinds)}")

    def _judge_alerts(self) -> None:
        """Check what channels got against the alerts."""
        for one in self._alerts.all():
            if one.waiting:
                self._broken(one.alert.execution_id, f"alert {one.id} never reached {', '.join(one.waiting)}")
            text = payload(one.alert, self._executions.get(one.alert.execution_id), Links())["text"]
            for channel, fate in one.fates.items():
                if fate is Fate.DELIVERED and not self._channels.posted[channel, text]:
                    self._broken(
                        one.alert.execution_id, f"alert {one.id} counts as delivered, but {channel} did not get it"
                    )

    def _judge_tokens(self, execution: Execution) -> None:
        """Check that cleanup deleted the device tokens. The bucket itself deletes those of a later build."""
        folder = f"devices/{execution.id}"
        left = self._files.names(folder)
        if left and folder not in self._contract.tokens_deleted:
            self._broken(execution.id, f"device tokens were left behind: {', '.join(left)}")

    def _judge_push(self, execution: Execution, push: int, shards: Iterable[Shard]) -> None:
        rows = self._contract.rows(execution.id, push, test=False)
        for shard in shards:
            if not shard.done and shard.version:
                self._broken(execution.id, f"a worker took shard {shard.key} and never closed it")
        files = self._shards.push(execution.id, push)
        outcomes = outcomes_of(files, shards) if files else b""
        if len(outcomes) != len(rows):
            self._broken(execution.id, f"push {push} has {len(rows)} users and {len(outcomes)} outcomes")
            return
        dry = read(execution.recipe).test_mode
        for place, code in enumerate(outcomes):
            arrived = self._contract.arrived.get((execution.id, push, False, place), 0)
            said = f"user {rows[place][0]} of push {push} is {word(code, execution.rule_bytes)[0]}"
            if arrived and code not in _MAY_HAVE_ARRIVED:
                self._broken(execution.id, f"{said}, and got the push")
            if code == ord("S") and not arrived and not dry:
                self._broken(execution.id, f"{said}, and never got the push")
        self._judge_ledger(execution, push, rows, outcomes, dry=dry)

    def _judge_test(self, execution: Execution, shards: Iterable[Shard]) -> None:
        for shard in shards:
            for place, code in enumerate(shard.outcomes):
                if (
                    self._contract.arrived.get((execution.id, shard.push, True, place))
                    and code not in _MAY_HAVE_ARRIVED
                ):
                    outcome = word(code, execution.rule_bytes)[0]
                    self._broken(execution.id, f"a test user got push {shard.push}, and its outcome is {outcome}")

    def _judge_ledger(
        self, execution: Execution, push: int, rows: list[list[str]], outcomes: bytes, *, dry: bool
    ) -> None:
        """Check reservations against outcomes: the ledger has the users who may have got the push, and no others."""
        layer = read(execution.recipe).pushes[push - 1].layer_id
        if layer in self._contract.holding.exempt:
            return
        key = push_key(execution.id, push).decode()
        wanted: Counter[bytes] = Counter()
        for row, code in zip(rows, outcomes, strict=True):
            wanted[user_key(row[0])] += code in _MAY_HAVE_ARRIVED and not dry
        for user, expected in wanted.items():
            held = any(entry.push == key for entry in reserved(self._ledger.days(user[0]), user))
            if held and not expected and execution.id in self._contract.excused:
                continue
            if held != bool(expected):
                said = "has no reservation" if expected else "has a reservation for a push that never went to them"
                self._broken(execution.id, f"a user of push {push} {said}")

    def _judge_receipt(self, execution: Execution, shards: Iterable[Shard]) -> None:
        content = self._files.content(receipt_name(execution.id))
        if content is None:
            return
        rows = list(csv.reader(content.decode().splitlines()[1:]))
        self._judge_reasons(execution, rows)
        written = Counter((row[0], row[3]) for row in rows)
        known: Counter[tuple[str, str]] = Counter()
        reached: Counter[int] = Counter()
        for shard in shards:
            if not shard.test:
                known.update((str(shard.push), word(code, execution.rule_bytes)[0]) for code in shard.outcomes)
                reached[shard.push] += len(shard.outcomes)
        for push in range(1, len(read(execution.recipe).pushes) + 1):
            rest = len(self._contract.rows(execution.id, push, test=False)) - reached[push]
            if rest and (reached[push] or any(shown == str(push) for shown, _ in written)):
                known[str(push), "not_reached"] += rest
        if written != known:
            self._broken(execution.id, f"its receipt says {dict(written)}, its outcomes are {dict(known)}")

    def _judge_reasons(self, execution: Execution, rows: Sequence[Sequence[str]]) -> None:
        """Check that the reasons in a receipt are those that were decided, and the totals those of the receipt."""
        excluded = [(user, reason) for _, _, user, outcome, reason in rows if outcome == "excluded"]
        held_back = self._contract.watched[execution.id].held_back
        for user, reason in excluded:
            decided = held_back.get(user_key(user), set())
            if reason not in _OF_NO_RULE and reason not in decided:
                said = " or ".join(sorted(decided)) or "nothing"
                self._broken(execution.id, f"its receipt says {reason} of {user}, and {said} was decided")
        counted = Counter(reason for _, reason in excluded)
        if execution.totals is not None and counted != Counter(execution.totals.excluded):
            told = dict(execution.totals.excluded)
            self._broken(execution.id, f"its totals exclude {told}, and its receipt {dict(counted)}")

    def _judge_schedules(self) -> None:
        """Compare the scheduler's jobs with the readable recipes."""
        jobs = {job.name for job in self._schedules.all() if job.function == "launch"}
        for document in self._recipes.all():
            if document.get("schedule") == "never":
                continue  # broken by hand
            recipe = read(document)
            name = schedule_name(recipe.id)
            if not recipe.is_active and name in jobs:
                self._broken("", f"the schedule {name} was left behind: its recipe is {recipe.status}")
            jobs.discard(name)

    def _judge_plans(self, now: datetime) -> None:
        """Compare the plans of sends with the sends that the recipes announce."""
        plans, until = {plan.recipe_id: plan for plan in self._recipes.plans()}, now + _PLANNED
        for document in self._recipes.all():
            name, plan = document["id"], plans.pop(document["id"], None)
            announced = list(_announced(document, now, until))
            planned = list(takewhile(lambda at: at < until, plan.sends(now))) if plan else []
            if planned != announced:
                self._broken("", f"{name} is planned for {_shown(planned)}, but sends at {_shown(announced)}")
            if plan and plan.next_send_at < now - SLACK:
                self._broken("", f"{name} is planned from {plan.next_send_at:%Y-%m-%d %H:%M} on, which has passed")
        for name in plans:
            self._broken("", f"{name} is planned, but the recipe does not exist")

    def judge_sends(self, written: Mapping[str, Any], first: datetime, last: datetime) -> None:
        """Check the executions of an unchanged recipe against its send instants."""
        of_it = [execution for execution in self._executions.all() if execution.recipe_id == written["id"]]
        found = {execution.send_at for execution in of_it if execution.kind is Kind.SCHEDULED}
        expected = set(sends(written, first, last))
        for at in sorted(expected - {at for at in found if at in expected}):
            self._broken("", f"the send of {written['id']} at {at:%Y-%m-%d %H:%M} UTC has no execution")
        for at in sorted(at for at in found if first <= at <= last and at not in expected):
            self._broken("", f"{written['id']} sent at {at:%Y-%m-%d %H:%M} UTC, which is none of its times")


def outcomes_of(files: PushFiles, shards: Iterable[Shard]) -> bytes:
    """Return the outcome of each row of a push's live audience. Rows without a shard count as not reached."""
    index = files.live.rows.index
    outcomes = bytearray(b"." * index.row_count)
    for shard in shards:
        first = index.rows_in(range(shard.partitions.start)) if shard.partitions.start else 0
        outcomes[first : first + len(shard.outcomes)] = shard.outcomes
    return bytes(outcomes)


def _announced(document: Mapping[str, Any], now: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the sends that a recipe announces before an instant; a broken recipe announces none."""
    if document.get("schedule") == "never" or not read(document).is_active:
        return
    first = max(now, read(document).first_send_at or now)
    yield from takewhile(lambda at: at < until, sends(document, first, until))


def _shown(instants: Iterable[datetime]) -> str:
    return ", ".join(f"{at:%Y-%m-%d %H:%M}" for at in instants) or "no time"
