"""Detect a push that reaches no user because its whole audience is excluded, and say which setting helps."""

from collections.abc import Mapping

from functions.domain.execution.safeguards import Finding, Severity, ViolationType
from functions.domain.push.outcomes import OTHER, Exclusion

_RULES_BEFORE_WORKSPACES = {
    Exclusion.LAYER_3_COOLDOWN,
    Exclusion.LAYER_5_COOLDOWN,
    Exclusion.COMBINED_L2_L3_LIMIT,
}
_OF_NO_RULE = frozenset({*Exclusion, OTHER}) - _RULES_BEFORE_WORKSPACES
"""Any other reason is that of a cadence rule: these exclusions are intended."""
_WAYS_OUT: Mapping[str, str] = {
    Exclusion.INVALID_USER_ID: "set USER_ID_FORMAT to any if these are your users' ids (it is {user_id_format})",
    Exclusion.OPTED_OUT: "leave users who have opted out out of the audience",
    Exclusion.NO_TOKEN: "check that devices.user_id in the user data holds the same ids as users.id",
    Exclusion.DEAD_TOKEN: "check that the user data has current device tokens",
    Exclusion.MISSING_VARIABLE: "give each variable a fallback: [[var:column|fallback]]",
    Exclusion.PAYLOAD_TOO_LARGE: "shorten the message: FCM accepts at most 4,096 bytes",
    Exclusion.BAD_LINK: "allow the deep link in ALLOWED_LINKS",
}


def whole_exclusion(push: int, size: int, excluded: Mapping[str, int], *, user_id_format: str) -> Finding | None:
    """Return the warning if every user of a push's audience is excluded, with the reasons; else None.

    If cadence rules contribute (`by_cadence`), the warning names no setting.
    """
    reasons = {reason: count for reason, count in excluded.items() if count}
    if not size or sum(reasons.values()) < size:
        return None
    counted = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    message = f"push {push} reaches no user: all {size:,} users are excluded ({counted})"
    ways = [_WAYS_OUT[reason].format(user_id_format=user_id_format) for reason in reasons if reason in _WAYS_OUT]
    return Finding(
        type=ViolationType.AUDIENCE_EXCLUDED,
        severity=Severity.WARNING,
        message="; ".join([message, *([] if by_cadence(reasons) else ways)]),
        action="none; the execution goes on",
        data={"push": push, "audienceSize": size, "excluded": reasons},
    )


def by_cadence(reasons: Mapping[str, int]) -> bool:
    """Return whether cadence rules are among the reasons."""
    return any(reason not in _OF_NO_RULE for reason in reasons)
