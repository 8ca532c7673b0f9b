"""Alerts and their texts: plain sentences with numbers, without device tokens and without user ids."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Violation
from functions.domain.push.outcomes import Tally

EVERYTHING = "all"
"""The channel that gets the alerts of every recipe, and those that concern no recipe."""
_MOST_LINES = 10


class AlertKind(StrEnum):
    """What happened. A breach, such as the failure rate's, has its violation's type as its kind instead."""

    AUDIENCE_READY = "audience_ready"
    TEST_SENT = "test_sent"
    LIVE_STARTED = "live_started"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    FAILED = "failed"
    RECONCILE_DRIFT = "reconcile_drift"
    MALFORMED_RECIPE = "malformed_recipe"
    AUDIT_BROKEN = "audit_broken"


NEWS = frozenset({"audience_ready", "test_sent", "live_started", "finished", "cancelled", "stopped"})
"""Alerts that ask for no action: everything went as planned."""

_ENDS = {
    State.CANCELLED: (AlertKind.CANCELLED, "nothing is sent"),
    State.BLOCKED: (AlertKind.BLOCKED, "nothing is sent"),
    State.EXPIRED: (AlertKind.EXPIRED, "nothing is sent"),
    State.FAILED: (AlertKind.FAILED, "nothing more is sent"),
    State.STOPPED: (AlertKind.STOPPED, "nothing more is sent"),
}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that people should know now: a sentence, and lines with details.

    `subject` distinguishes alerts of one kind about one execution.
    """

    kind: str
    execution_id: str
    message: str
    subject: str = ""
    details: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id, made of execution, kind and subject in characters for names. A repeated alert has the same id."""
        digest = hashlib.sha256(self.subject.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return "-".join([self.execution_id or "deployment", self.kind, *([digest] if self.subject else [])])

    @property
    def urgent(self) -> bool:
        """Whether something did not go as planned."""
        return self.kind not in NEWS


@dataclass(frozen=True, kw_only=True)
class Built:
    """The audience of a push as it was built; `excluded` counts the users already known to be excluded, by reason."""

    push: int
    audience: str
    users: int
    devices: int
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The push and its audience, in words."""
        return f"push {self.push} ({self.audience})"


def audience_ready(
    execution: Execution, built: Sequence[Built], before: tuple[datetime, Sequence[Built]] | None
) -> Alert:
    """Report the sizes of the audiences, and the largest change.

    `before` is the last run of the recipe and its sizes.
    """
    users, devices = sum(one.users for one in built), sum(one.devices for one in built)
    pushes = _count(len(built), "push", "pushes")
    one_push = len(built) == 1 and execution.people is None
    size = _users(users) if one_push else people_and_messages(execution.people, users)
    parts = [f"the audiences are ready: {size} in {pushes}, {_devices(devices)}"]
    parts += [_change(built, *before)] if before else []
    excluded = sum((Counter(one.excluded) for one in built), Counter[str]())
    parts += [f"excluded so far: {_reasons(excluded)}"] if excluded.total() else []
    lines = [_line(one) for one in built]
    lines.append("users in a cooldown are left out when their push goes out")
    return _of(execution, AlertKind.AUDIENCE_READY, "; ".join(parts), details=_shortened(lines))


def _change(built: Sequence[Built], sent_at: datetime, before: Sequence[Built]) -> str:
    """Say which audience has grown or shrunk most, as a share of what it was."""
    sizes = {one.audience: one.users for one in before}
    known = [(one, sizes[one.audience]) for one in built if one.audience in sizes]
    since = f"against the run of {sent_at:%Y-%m-%d}"
    if not known:
        return f"no audience is one of those of {sent_at:%Y-%m-%d}"
    one, was = max(known, key=lambda pair: abs(pair[0].users - pair[1]) / max(1, pair[1]))
    if one.users == was:
        return f"no size changed {since}"
    share = f", {(one.users - was) / was:+.0%}" if was else ""
    return f"biggest change {since}: {one.label} from {was:,} to {_users(one.users)}{share}"


def _line(one: Built) -> str:
    text = f"{one.label}: {_users(one.users)}, {_devices(one.devices)}"
    return f"{text}; {_reasons(one.excluded)}" if any(one.excluded.values()) else text


def _reasons(excluded: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in excluded.items() if count)


def after_tests(execution: Execution, tally: Tally, *, users: int, until: datetime) -> Alert:
    """Report how many test pushes arrived, and until when people can cancel. Nothing follows a TEST."""
    arrived = f"{tally.sent} of {_count(tally.audience_size, 'test push', 'test pushes')} arrived"
    who = _count(users, "test user", "test users")
    follows = f"anyone can cancel until {until:%H:%M} UTC"
    if execution.kind is Kind.TEST:
        follows = "it was a test: nothing else is sent"
    return _of(execution, AlertKind.TEST_SENT, f"{arrived} ({who}); {follows}")


def live_started(execution: Execution, push_at: Sequence[datetime], *, dry_run: bool) -> Alert:
    """Report that the send was not cancelled, and when the pushes go out."""
    pushes = f"{_count(len(push_at), 'push', 'pushes')}, the last at {push_at[-1]:%H:%M} UTC"
    text = f"the dry run has begun ({pushes}): no message is sent" if dry_run else f"it is live: {pushes}"
    return _of(execution, AlertKind.LIVE_STARTED, text)


def finished(execution: Execution, tally: Tally, reached: int | None = None) -> Alert:
    """Report the totals of an execution that has ended.

    `reached` counts the people who were sent at least one push.
    """
    parts = [f"{tally.sent:,} sent", f"{tally.failed:,} failed", f"{tally.unknown:,} unknown"]
    parts += [_reasons(tally.excluded)] if any(tally.excluded.values()) else []
    text = f"{execution.state.value}: of {people_and_messages(execution.people, tally.audience_size)} "
    text += ", ".join(parts)
    text += f", {tally.not_reached:,} not reached"
    if reached is not None and reached != tally.sent:
        text += f"; {_users(reached)} got at least one push"
    return _of(execution, AlertKind.FINISHED, text)


def people_and_messages(people: int | None, messages: int) -> str:
    """Say how many users the audiences have, and how many messages that makes if the numbers differ."""
    if people is None:
        return _count(messages, "message", "messages")
    return _users(people) if people == messages else f"{_users(people)} ({_count(messages, 'message', 'messages')})"


def ended(execution: Execution, violations: Sequence[Violation] = ()) -> Alert | None:
    """Report how an execution ended. None while it runs, and if it is completed: `finished` reports that.

    An execution that a safeguard stopped, such as the failure rate, has the safeguard's type as its kind.
    """
    if execution.state not in _ENDS:
        return None
    kind, outcome = _ENDS[execution.state]
    causes = [one.finding.type.value for one in violations if one.finding.action == execution.state.value]
    named = causes[0] if execution.state is State.STOPPED and causes else kind.value
    message = f"{execution.state.value}: {execution.reason}; {outcome}"
    return Alert(kind=named, execution_id=execution.id, message=message)


def breached(violation: Violation, subject: str) -> Alert:
    """Report a breach that does not end the execution."""
    finding = violation.finding
    return Alert(
        kind=finding.type.value, execution_id=violation.execution_id, message=finding.message, subject=subject
    )


def drift(sentences: Sequence[str], now: datetime) -> Alert:
    """Report what reconcile found and fixed. The same finding is sent once a day."""
    message = f"reconciling found {_count(len(sentences), 'difference', 'differences')}: {sentences[0]}"
    return Alert(
        kind=AlertKind.RECONCILE_DRIFT.value,
        execution_id="",
        message=message,
        subject="\n".join([f"{now:%Y-%m-%d}", *sentences]),
        details=_shortened(list(sentences)) if len(sentences) > 1 else (),
    )


def malformed_recipe(recipe_id: str, reason: str, now: datetime) -> Alert:
    """Report that a recipe cannot be read, once a day."""
    return Alert(
        kind=AlertKind.MALFORMED_RECIPE.value,
        execution_id="",
        message=f"recipe {recipe_id}: {reason}",
        subject=f"{now:%Y-%m-%d}\n{recipe_id}",
    )


def audit_broken(sentences: Sequence[str]) -> Alert:
    """Report that entries of the audit log were changed or are missing. The same finding is sent once."""
    return Alert(
        kind=AlertKind.AUDIT_BROKEN.value,
        execution_id="",
        message=f"the audit log does not verify: {sentences[0]}",
        subject="\n".join(sentences),
        details=_shortened(list(sentences)) if len(sentences) > 1 else (),
    )


def channels_for(recipe: Mapping[str, Any] | None, known: Sequence[str]) -> tuple[str, ...]:
    """Return the channels that get the alerts of a recipe: those for every recipe, and those that the recipe names.

    Unknown channels and values of a wrong type are ignored, because an alert must never fail a send.
    """
    settings = recipe.get("settings") if recipe is not None else None
    named = settings.get("alertChannels") if isinstance(settings, Mapping) else None
    wanted = named if isinstance(named, (list, tuple)) else ()
    return tuple(name for name in known if name == EVERYTHING or name in wanted)


def _of(execution: Execution, kind: AlertKind, message: str, details: tuple[str, ...] = ()) -> Alert:
    return Alert(kind=kind.value, execution_id=execution.id, message=message, details=details)


def _shortened(lines: list[str]) -> tuple[str, ...]:
    left = len(lines) - _MOST_LINES
    return tuple(lines) if left <= 1 else (*lines[:_MOST_LINES], f"and {left} more")


def _users(number: int) -> str:
    return _count(number, "user", "users")


def _devices(number: int) -> str:
    return _count(number, "device", "devices")


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
