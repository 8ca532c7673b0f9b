"""The bytes of a workspace's cadence rules in the rows of one execution.

`outcomes.EXCLUDED` has the bytes of all other reasons, and of the three rules that every deployment had before
workspaces. Any other rule gets a byte when an execution begins, and the execution keeps the list. So its rows mean
the same after a team renames, adds or removes rules.
"""

from collections.abc import Iterable, Mapping

from functions.domain.push.outcomes import EXCLUDED, RuleBytes

BYTES = tuple(code for code in range(0xE0, 0x100) if chr(code).islower())
"""31 small letters of Latin-1: releases that do not know their rule read them as exclusions; see `outcomes.word`."""
UNLISTED = 0xDF
"""The byte of a rule that was added after the execution began: reports call it `other`."""


def rule_bytes(reasons: Iterable[str]) -> RuleBytes:
    """Return the bytes for the reasons of rules, except those that always have the same byte.

    >>> rule_bytes(["layer_3_cooldown", "cadence:weekly", "cadence:daily"])
    {224: 'cadence:weekly', 225: 'cadence:daily'}
    """
    return dict(zip(BYTES, (reason for reason in reasons if reason not in EXCLUDED), strict=False))


def code_of(reason: str, rules: RuleBytes) -> int:
    """Return the byte of a reason in an execution with these bytes of rules."""
    known = EXCLUDED.get(reason)  # type: ignore[call-overload] # a reason is equal to its word
    return known or next((code for code, rule in rules.items() if rule == reason), UNLISTED)


def document(rules: RuleBytes) -> dict[str, str]:
    """Return the bytes as an execution stores them."""
    return {str(code): reason for code, reason in rules.items()}


def read(written: object) -> RuleBytes:
    """Read what `document` wrote. What cannot be read is left out."""
    if not isinstance(written, Mapping):
        return {}
    return {
        int(code): reason
        for code, reason in written.items()
        if isinstance(code, str) and code.isdecimal() and int(code) in BYTES and isinstance(reason, str)
    }
