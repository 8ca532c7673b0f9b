"""Safeguards: what blocks, stops or warns, and the violations that say so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from functions.domain.errors import FieldError, Misconfigured
from functions.domain.push.outcomes import SENT, THIRD_PARTY_AUTH, WRONG_PROJECT, Tally
from functions.domain.recipe.document import RecipeSafeguards
from functions.domain.recipe.read import Recipe
from functions.domain.recipe.schedule import Frequency, instant_of, sends_from
from functions.domain.recipe.timeline import plan

_MINUTE = timedelta(minutes=1)
_ANY_DAY = date(2026, 1, 15)
FEWEST_ATTEMPTS = 50
"""The fewest attempted messages for which a failure rate is judged."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a whole deployment; a larger team raises them in its settings."""

    executions_at_once: int = 10
    total_audience: int = 100_000
    pushes: int = 20
    total_delay: timedelta = timedelta(days=5)
    shortest_window: timedelta = timedelta(minutes=5)


class Severity(StrEnum):
    """Whether a breach is only reported, or stops something."""

    WARNING = "warning"
    CRITICAL = "critical"


class ViolationType(StrEnum):
    """Which safeguard was breached."""

    AUDIENCE_TOO_LARGE = "audience_too_large"
    AUDIENCE_ALERT = "audience_alert"
    AUDIENCE_EMPTY = "audience_empty"
    AUDIENCE_EXCLUDED = "audience_excluded"
    AUDIENCE_FAILED = "audience_failed"
    TOTAL_AUDIENCE_TOO_LARGE = "total_audience_too_large"
    TOO_MANY_EXECUTIONS = "too_many_executions"
    SHORT_WINDOW = "short_cancellation_window"
    TEST_FAILED = "test_failed"
    FAILURE_RATE = "failure_rate"
    TOO_LATE = "too_late"
    NOT_REACHED = "not_reached"
    STEP_FAILED = "step_failed"
    LEDGER_UNREADABLE = "ledger_unreadable"
    MISCONFIGURED = "misconfigured"
    ANOTHER_UNDER_WAY = "another_under_way"
    SENT_THAT_DAY = "sent_that_day"
    MISSED = "missed"
    UNREADABLE = "unreadable"
    IMAGE_BROKEN = "image_broken"
    UNWELCOME_CONTENT = "unwelcome_content"
    UNWELCOME_FIELD = "unwelcome_field"
    MISSING_TRANSLATION = "missing_translation"
    RESTORED = "restored"
    OTHER = "other"
    """A type that only a newer release knows; the message describes it."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A breach, before it is bound to an execution."""

    type: ViolationType
    severity: Severity
    message: str
    action: str
    data: Mapping[str, object] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether the breach ends the execution: `action` is then its final state."""
        return self.action in ("blocked", "expired", "failed", "stopped")


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A recorded breach. Its id is made of execution, type and subject, so that recording it again changes nothing.

    `recipe_id` is the recipe of its execution.

    A person resolves it: `resolved_by` is that person's e-mail address, and `note` what the person wrote.
    """

    id: str
    execution_id: str
    recipe_id: str
    finding: Finding
    at: datetime
    resolved_at: datetime | None = None
    resolved_by: str = ""
    note: str = ""

    @property
    def resolved(self) -> bool:
        """Whether a person has resolved it."""
        return self.resolved_at is not None

    def resolve(self, at: datetime, by: str, note: str = "") -> "Violation":
        """Return the violation as resolved; the first resolution is kept."""
        return self if self.resolved else replace(self, resolved_at=at, resolved_by=by, note=note)

    def reopen(self) -> "Violation":
        """Return the violation without its resolution."""
        return replace(self, resolved_at=None, resolved_by="", note="")


def recipe_errors(recipe: Recipe, limits: Limits) -> list[FieldError]:
    """Return an error for each value of a recipe that exceeds the limits."""
    errors = []
    if len(recipe.pushes) > limits.pushes:
        errors.append(
            FieldError("pushSequence", f"has {len(recipe.pushes)} pushes; at most {limits.pushes} are allowed")
        )
    delay = _total_delay(recipe)
    if delay > limits.total_delay:
        minutes, most = delay // _MINUTE, limits.total_delay // _MINUTE
        reason = (
            f"the last push follows the first by {minutes} minutes; at most {most} ({limits.total_delay.days} days)"
        )
        errors.append(FieldError("pushSequence[].timing", f"{reason} are allowed"))
    return errors


def _total_delay(recipe: Recipe) -> timedelta:
    """Return the time from the first push to the last, on a day without a clock change."""
    schedule = recipe.schedule
    send_at = instant_of(datetime.combine(_ANY_DAY, schedule.send_time), schedule.zone)
    timeline = plan(
        send_at=send_at, lead=schedule.lead, window=recipe.window, zone=schedule.zone, timings=recipe.timings
    )
    return timeline.push_at[-1] - send_at


def past_errors(recipe: Recipe, now: datetime) -> list[FieldError]:
    """Return an error if an active recipe has no send left, such as a once-schedule in the past."""
    if not recipe.is_active or next(sends_from(recipe.schedule, now), None):
        return []
    reason = f"no send is left after {now:%Y-%m-%d %H:%M} UTC; move the date or set status to draft"
    return [FieldError(schedule_field(recipe), reason)]


def schedule_field(recipe: Recipe) -> str:
    """Return the field that a person changes to move a recipe's sends."""
    return "schedule.startDate" if recipe.schedule.frequency is Frequency.ONCE else "schedule"


def window_findings(recipe: Recipe, window: timedelta, limits: Limits) -> list[Finding]:
    """Warn if the cancellation window is shorter than the shortest one allowed."""
    if recipe.test_mode or window >= limits.shortest_window:
        return []
    minutes, needed = window / _MINUTE, limits.shortest_window // _MINUTE
    return [
        Finding(
            type=ViolationType.SHORT_WINDOW,
            severity=Severity.WARNING,
            message=f"the cancellation window is {minutes:g} minutes; people need {needed}",
            action="none; the execution goes on",
        )
    ]


def audience_findings(sizes: Mapping[str, int], safeguards: RecipeSafeguards, limits: Limits) -> list[Finding]:
    """Judge audience sizes at T-30; `sizes` maps the label of a push to its number of rows."""
    findings = [finding for label, size in sizes.items() for finding in _size_findings(label, size, safeguards)]
    total = total_finding(sizes, limits)
    return findings + ([total] if total else [])


def total_finding(sizes: Mapping[str, int], limits: Limits) -> Finding | None:
    """Return the breach if all audiences together exceed the deployment's limit of users."""
    total = sum(sizes.values())
    if total <= limits.total_audience:
        return None
    return Finding(
        type=ViolationType.TOTAL_AUDIENCE_TOO_LARGE,
        severity=Severity.CRITICAL,
        message=f"the audiences hold {total:,} users together; the limit is {limits.total_audience:,} "
        "(raise MAX_TOTAL_AUDIENCE to allow it)",
        action="blocked",
        data={"total": total, "limit": limits.total_audience},
    )


def _size_findings(label: str, size: int, safeguards: RecipeSafeguards) -> Sequence[Finding]:
    alert, most = safeguards.alert_thresholds.audience_size, safeguards.max_audience_size
    if size > most:
        message = (
            f"{label} holds {size:,} users; the limit is {most:,} "
            "(raise settings.safeguards.maxAudienceSize to allow it)"
        )
        kind, severity, action = ViolationType.AUDIENCE_TOO_LARGE, Severity.CRITICAL, "blocked"
    elif alert is not None and size > alert:
        message = f"{label} holds {size:,} users, above the alert threshold of {alert:,}"
        kind, severity, action = ViolationType.AUDIENCE_ALERT, Severity.WARNING, "none; the execution goes on"
    elif size == 0:
        message = f"{label} is empty: its push reaches no user"
        kind, severity, action = ViolationType.AUDIENCE_EMPTY, Severity.WARNING, "none; the execution goes on"
    else:
        return []
    data = {"audience": label, "size": size}
    return [Finding(type=kind, severity=severity, message=message, action=action, data=data)]


def misconfigured(outcomes: Iterable[bytes], project: str, *, tested: bool = False) -> Misconfigured | None:
    """Return the problem if FCM refused more tokens for one setting than it accepted messages, else None.

    `outcomes` are the rows of shards. A few refused tokens are only failed rows. If most tokens are refused, or a
    single one without any success, the setting is wrong. An accepted test push (`tested`) excuses one token.
    """
    rows = b"".join(outcomes)
    taken = int(tested) + rows.count(SENT)
    strays, refused = rows.count(WRONG_PROJECT), rows.count(THIRD_PARTY_AUTH)
    if strays > taken:
        return Misconfigured(
            "GOOGLE_CLOUD_PROJECT",
            f"{strays:,} users have device tokens of another Firebase project than {project or 'the one that sends'} "
            "(FCM answers SENDER_ID_MISMATCH), more than got the message; set it to the project of the app, or "
            "correct the device tokens in the user data; no token is taken for dead",
        )
    if refused > taken:
        return Misconfigured(
            "Firebase project settings",
            f"FCM cannot speak for the app to Apple or to a browser's push service for {refused:,} users (it answers "
            "THIRD_PARTY_AUTH_ERROR), more than got the message; renew the APNs key or the web push certificate "
            "under Cloud Messaging in the Firebase console",
        )
    return None


def failure_finding(tally: Tally, threshold: float) -> Finding | None:
    """Return the breach if too many attempts failed; None below the threshold, or while there are too few attempts.

    An unknown outcome counts as a failure, unless it is unknown because a worker died.
    """
    bad = tally.failed + tally.unknown - tally.lost
    if tally.attempted < FEWEST_ATTEMPTS or bad / tally.attempted <= threshold:
        return None
    return Finding(
        type=ViolationType.FAILURE_RATE,
        severity=Severity.CRITICAL,
        message=f"{bad:,} of {tally.attempted:,} messages failed or have an unknown outcome "
        f"({bad / tally.attempted:.1%}; the threshold is {threshold:.1%})",
        action="stopped",
        data={"attempted": tally.attempted, "failed": tally.failed, "unknown": tally.unknown},
    )
