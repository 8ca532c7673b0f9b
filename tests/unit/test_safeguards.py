"""RecipeSafeguards: what blocks, what only warns, and what is said of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.execution.safeguards import (
    Finding,
    Limits,
    Severity,
    Violation,
    ViolationType,
    audience_findings,
    failure_finding,
    past_errors,
    recipe_errors,
    window_findings,
)
from functions.domain.execution.violations import write_violation
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.document import AlertThresholds, RecipeSafeguards
from functions.domain.recipe.read import Recipe, parse

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_recipe(*delays: int, **schedule: Any) -> Recipe:
    pushes = [{"title": "t", "body": "b", "layerId": 3, "timing": {"delayAfterPrevious": delay}} for delay in delays]
    document: dict[str, Any] = {
        "id": "r",
        "status": schedule.pop("status", "active"),
        "schedule": {"timezone": "UTC", "frequency": "daily", "executionTime": "18:30", **schedule},
        "pushSequence": pushes or [{"title": "t", "body": "b", "layerId": 3}],
    }
    return parse(document)


def bounds(largest: int = 10, alert: int | None = None) -> RecipeSafeguards:
    return RecipeSafeguards(maxAudienceSize=largest, alertThresholds=AlertThresholds(audienceSize=alert))


def judged(
    sizes: dict[str, int], safeguards: RecipeSafeguards, limits: Limits | None = None
) -> list[tuple[str, str]]:
    found = audience_findings(sizes, safeguards, limits or Limits())
    return [(finding.type.value, finding.action) for finding in found]


@pytest.mark.parametrize(
    ("size", "found"),
    [
        (0, [("audience_empty", "none; the execution goes on")]),
        (1, []),
        (5, []),
        (6, [("audience_alert", "none; the execution goes on")]),
        (10, [("audience_alert", "none; the execution goes on")]),
        (11, [("audience_too_large", "blocked")]),
    ],
)
def test_an_audience_at_a_limit_is_within_it(size: int, found: list[tuple[str, str]]) -> None:
    assert judged({"push 1": size}, bounds(10, alert=5)) == found


def test_every_audience_is_judged_and_their_sum_too() -> None:
    found = judged({"push 1": 11, "push 2": 3, "push 3": 0}, bounds(), Limits(total_audience=13))
    assert [kind for kind, _ in found] == ["audience_too_large", "audience_empty", "total_audience_too_large"]
    assert judged({"push 1": 7, "push 2": 6}, bounds(), Limits(total_audience=13)) == []


def test_a_breach_says_which_audience_how_large_and_what_to_raise() -> None:
    finding = audience_findings({"push 1": 12_345}, bounds(10_000), Limits())[0]
    assert finding.severity is Severity.CRITICAL
    assert finding.message == (
        "push 1 holds 12,345 users; the limit is 10,000 (raise settings.safeguards.maxAudienceSize to allow it)"
    )
    assert finding.data == {"audience": "push 1", "size": 12_345}


@pytest.mark.parametrize(
    ("failed", "unknown", "sent", "stops"),
    [(49, 0, 0, False), (50, 0, 0, True), (5, 0, 45, False), (6, 0, 44, True), (3, 3, 44, True), (0, 0, 0, False)],
)
def test_failures_stop_an_execution_above_the_threshold_once_50_were_attempted(
    failed: int, unknown: int, sent: int, stops: bool
) -> None:
    tally = Tally(audience_size=1_000, failed=failed, unknown=unknown, sent=sent)
    assert (failure_finding(tally, 0.1) is not None) == stops


def test_a_threshold_of_1_never_stops_and_of_0_stops_at_the_first_failure() -> None:
    bad = Tally(audience_size=100, failed=1, sent=99)
    assert failure_finding(Tally(audience_size=100, failed=100), 1) is None
    assert failure_finding(bad, 0) is not None


def test_a_failure_rate_is_given_in_numbers() -> None:
    finding = failure_finding(Tally(audience_size=2_000, sent=1_000, failed=200, unknown=50), 0.1)
    assert finding is not None
    assert finding.message.startswith("250 of 1,250 messages failed or have an unknown outcome (20.0%;")
    assert finding.action == "stopped"


def test_delays_sum_up_without_that_of_the_first_push() -> None:
    assert recipe_errors(a_recipe(7_200, 7_200), Limits()) == []
    assert [error.field for error in recipe_errors(a_recipe(0, 7_200, 1), Limits())] == ["pushSequence[].timing"]
    assert recipe_errors(a_recipe(0, 7_200, 1), Limits(total_delay=timedelta(days=6))) == []


def test_pushes_at_wall_clock_times_are_as_far_apart_as_their_clocks_say() -> None:
    recipe = a_recipe(*[0] * 8)
    document = recipe.document()
    for hour, push in enumerate(reversed(document["pushSequence"])):
        push["timing"] = {"absoluteTime": f"{hour + 8:02d}:00"}
    assert "at most 7200 (5 days) are allowed" in str(recipe_errors(parse(document), Limits())[0])


def test_a_sequence_too_long_and_too_slow_gets_both_errors() -> None:
    assert len(recipe_errors(a_recipe(*[43_200] * 21), Limits())) == 2


def test_a_recipe_without_a_send_left_is_refused_while_it_is_active() -> None:
    gone = {"frequency": "once", "startDate": "2026-03-01"}
    assert [str(error) for error in past_errors(a_recipe(**gone), NOON)] == [
        "schedule.startDate: no send is left after 2026-03-02 12:00 UTC; move the date or set status to draft"
    ]
    assert past_errors(a_recipe(**gone, status="completed"), NOON) == []
    assert past_errors(a_recipe(frequency="once", startDate="2026-03-02"), NOON) == []
    assert [error.field for error in past_errors(a_recipe(endDate="2026-03-01"), NOON)] == ["schedule"]
    assert past_errors(a_recipe(endDate="2026-03-02"), NOON) == []


def test_a_cron_that_never_comes_is_a_recipe_without_a_send_left() -> None:
    assert past_errors(a_recipe(frequency="custom", cronExpression="0 9 30 2 *"), NOON)


def test_a_short_window_is_a_warning_and_five_minutes_are_enough() -> None:
    assert window_findings(a_recipe(), 5 * MINUTE, Limits()) == []
    finding = window_findings(a_recipe(), 4 * MINUTE, Limits())[0]
    assert (finding.type, finding.severity) == (ViolationType.SHORT_WINDOW, Severity.WARNING)
    assert "the cancellation window is 4 minutes" in finding.message


def test_a_violation_is_stored_with_all_that_people_need() -> None:
    finding = Finding(
        type=ViolationType.TEST_FAILED, severity=Severity.CRITICAL, message="m", action="blocked", data={"users": 2}
    )
    violation = Violation(id="v", execution_id="e", recipe_id="r", finding=finding, at=NOON)
    assert write_violation(violation) == {
        "id": "v",
        "executionId": "e",
        "recipeId": "r",
        "type": "test_failed",
        "severity": "critical",
        "message": "m",
        "data": {"users": 2},
        "at": "2026-03-02T12:00:00Z",
        "resolved": False,
        "resolvedAt": None,
        "resolvedBy": "",
        "resolvedNote": "",
        "actionTaken": "blocked",
    }
