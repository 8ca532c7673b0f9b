"""The steps that decide about one row of an audience, in the order in which Tminus applies them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import chain

from audience_jobs.workspace.models import OPT_OUTS
from functions.domain.audience.partition import partition_of
from functions.domain.cadence import rules as cadence
from functions.domain.errors import LedgerUnreadable
from functions.domain.ids import no_user_id, user_key
from functions.domain.instants import stamp
from functions.domain.push.outcomes import Exclusion
from functions.domain.push.payload import PAYLOAD_LIMIT_BYTES
from functions.domain.recipe.schedule import ClockPlan, wall_clock
from functions.ports import Ports
from functions.usecases.dry_run.why_report import CountedPush, HoldingRule, Step, StepFound
from functions.usecases.sending.assignment import Delivery
from functions.usecases.sending.reserve import reserve, rules_of
from functions.usecases.sending.rows import Candidate, Device, candidates, renderer
from functions.usecases.timeline.send_push import plan_shards

_STEPS: Mapping[Exclusion, Step] = {
    Exclusion.INVALID_USER_ID: "user_id",
    Exclusion.DUPLICATE_USER_ID: "user_id",
    Exclusion.OPTED_OUT: "opt_outs",
    Exclusion.NO_TOKEN: "devices",
    Exclusion.DEAD_TOKEN: "devices",
}
"""Where a row ends before its message is made."""
_BEFORE_MESSAGE: tuple[Step, ...] = ("user_id", "opt_outs", "devices")
_ANY_DEVICE = (Device(""),)


class Steps:
    """Makes the steps of one push for the only row of its audience; `rules` are those that hold the push back."""

    def __init__(self, ports: Ports, delivery: Delivery, *, ledger_known: bool) -> None:
        self._ports, self._delivery, self._ledger_known = ports, delivery, ledger_known
        self.rules: Sequence[HoldingRule] = ()

    def made(self, row: Sequence[str] | None) -> list[StepFound]:
        """Return the steps for the user's row, None for a user who is not in the audience."""
        name = self._delivery.files.audience
        if row is None:
            return [_step("audience", f"not in the audience {name}", "not_in_audience")]
        candidate = self._candidate()
        steps = [_step("audience", f"in the audience {name}"), *self._before_message(row[0], candidate)]
        steps.append(self._message(row))
        ends = candidate.excluded is not None or not steps[-1].passes
        return [*steps, self._cadence(row[0], reserves=not ends)]

    def _candidate(self) -> Candidate:
        ports, delivery = self._ports, self._delivery
        shards = plan_shards(delivery.files, most_rows=ports.policy.shard_rows)
        rows = (candidates(ports, delivery.push, delivery.audience, shard, delivery.waiting) for shard in shards)
        return next(chain.from_iterable(rows))

    def _before_message(self, user_id: str, candidate: Candidate) -> list[StepFound]:
        """Return the steps until the message is made; those behind the one that ends the row are not known."""
        excluded = candidate.excluded
        ended = _STEPS.get(excluded) if excluded else None
        found: list[StepFound] = []
        for step in _BEFORE_MESSAGE:
            if step == "opt_outs" and OPT_OUTS not in self._ports.workspace.models:
                continue
            if step == ended and excluded:
                found.append(_step(step, self._why_ended(excluded, user_id), excluded.value))
            elif any(each.passes is False for each in found):
                found.append(StepFound(step=step, passes=None, reason="", message=f"{_NOUNS[step]} not looked at"))
            else:
                found.append(_step(step, self._why_passed(step, candidate)))
        return found

    def _why_ended(self, excluded: Exclusion, user_id: str) -> str:
        if excluded is Exclusion.INVALID_USER_ID:
            return no_user_id(f"the id {user_id}", self._ports.policy.user_id_format)
        return _ENDED[excluded]

    def _why_passed(self, step: Step, candidate: Candidate) -> str:
        if step == "devices":
            count = len(candidate.messages)
            return f"{count:,} devices" if count > 1 else "has a device"
        return _PASSED[step]

    def _message(self, row: Sequence[str]) -> StepFound:
        push, columns = self._delivery.push, self._delivery.audience.rows.index.columns
        made = renderer(push, columns, self._ports.policy.links)(row, _ANY_DEVICE)
        if not isinstance(made, Exclusion):
            return _step("message", "the message can be made")
        if made is Exclusion.MISSING_VARIABLE:
            values = dict(zip(columns, row, strict=True))
            needed = chain.from_iterable(template.columns for template in push.own_texts.values())
            empty = ", ".join(name for name in dict.fromkeys(needed) if not values.get(name))
            return _step("message", f"the message has no value for {empty}, and no fallback", made.value)
        return _step("message", _ENDED[made], made.value)

    def _cadence(self, user_id: str, *, reserves: bool) -> StepFound:
        push = self._delivery.ledger_push
        if push is None:
            return _step("cadence", f"no cadence rule holds back layer {self._delivery.push.layer_id}")
        if not self._ledger_known:
            return _unknown("there is no cadence ledger here to ask")
        key = user_key(user_id)
        try:
            held = next(iter(reserve(self._ports, push, [key], dry_run=not reserves)))
            self.rules = _holding(self._ports, push, key) if held else ()
        except LedgerUnreadable as error:
            return _unknown(f"the cadence ledger cannot be read: {error}")
        if not held:
            return _step("cadence", "no cadence rule holds it back")
        reason = str(held[key])
        return _step("cadence", "; ".join(map(_rule_in_words, self.rules)) or reason, reason)


_NOUNS: Mapping[Step, str] = {"user_id": "the id is", "opt_outs": "opt-outs are", "devices": "devices are"}
_PASSED: Mapping[Step, str] = {"user_id": "the id is valid", "opt_outs": "has not opted out"}
_ENDED: Mapping[Exclusion, str] = {
    Exclusion.DUPLICATE_USER_ID: "is in the audience twice",
    Exclusion.OPTED_OUT: "has opted out",
    Exclusion.NO_TOKEN: "has no device",
    Exclusion.DEAD_TOKEN: "has only devices that FCM called dead",
    Exclusion.BAD_LINK: "the deep link is not allowed with the values of the user",
    Exclusion.PAYLOAD_TOO_LARGE: f"the message is larger than the {PAYLOAD_LIMIT_BYTES:,} bytes that FCM accepts",
}


def _step(step: Step, message: str, reason: str = "") -> StepFound:
    return StepFound(step=step, passes=not reason, reason=reason, message=message)


def _unknown(message: str) -> StepFound:
    return StepFound(step="cadence", passes=None, reason="", message=message)


def _holding(alone: Ports, push: cadence.Push, key: bytes) -> Sequence[HoldingRule]:
    """Return every rule that holds the push back, with the pushes that it counts; `alone` are those of a dry run."""
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    rules = rules_of(alone, push)
    days = cadence.days_to_read(push, rules, alone.clock.now())
    stored = alone.ledger.transact(partition_of(key), days, lambda packed: ({}, dict(packed)))
    others = [each for each in ledger.reserved(stored, key) if each.push.encode() != push.key]
    found = []
    for rule in rules:
        window = cadence.Window(rule, push)
        counted = [each for each in others if each.layer in rule.layers and window.holds(each.at)]
        if len(counted) >= rule.count:
            found.append(_rule(rule, push, [CountedPush(**vars(each)) for each in counted]))
    return found


def _rule(rule: cadence.CadenceRule, push: cadence.Push, counted: Sequence[CountedPush]) -> HoldingRule:
    """Return a rule that holds a push back; it is free when all but `count - 1` of the pushes are too old."""
    last = counted[len(counted) - rule.count].at
    clock = ClockPlan(clock=wall_clock(last, push.zone))
    free_at = clock.instant(push.zone, timedelta(hours=rule.hours))
    return HoldingRule(name=str(rule.reason), count=rule.count, hours=rule.hours, pushes=counted, free_at=free_at)


def _rule_in_words(rule: HoldingRule) -> str:
    pushes = "1 push" if rule.count == 1 else f"{rule.count:,} pushes"
    counted = ", ".join(f"{each.push} at {stamp(each.at)}" for each in rule.pushes)
    free = f"; free from {stamp(rule.free_at)}" if rule.free_at else ""
    return f"the rule {rule.name} allows {pushes} in {rule.hours:,} hours, and there are {counted}{free}"
