"""What a check finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

APPLY = "terraform apply"
"""The fix for whatever differs from what Terraform made."""


class State(StrEnum):
    """Whether a check passed. What could not be read is a finding too."""

    OK = "ok"
    WRONG = "wrong"
    CANNOT_SEE = "cannot see"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong, as a sentence about the subject, and the fix: a command, or what to do."""

    text: str
    fix: str = APPLY


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A line of the report: the kind of check and its subject. Problem and fix are empty if the check passed."""

    kind: str
    what: str
    state: State
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing to compare. `look` reads it, and yields its problems; see local/doctor/google.py for what it raises.

    `missing` is the fix if the subject does not exist.
    """

    kind: str
    what: str
    look: Callable[[], Iterable[Problem]]
    missing: str = APPLY
