"""Verify the hash chains of the audit log: find entries that were changed, left out or put in another order."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from functions.domain.audit import CHECKPOINTS, DAMAGED, ERASURES, AuditEntry, Head
from functions.domain.audit_chain import Problem, Redacted, late_problems, mentioned_in, problems, redactions_in
from functions.ports import Ports

BROKEN_HEAD = "has a head that cannot be read"
_MOST_LOOKS = 5
"""How often a subject is read, while it changes and something is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class AuditProblem:
    """What is wrong with an entry, or with a subject's log as a whole."""

    subject: str
    number: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The result: how many entries of how many subjects were read, and what is wrong with them.

    `before_the_chain` counts entries of releases that linked none. `end` is the hash of the last checkpoint: noted
    elsewhere, it proves later that nobody has rewritten the whole log.
    """

    sound: bool
    subjects: int
    entries: int
    before_the_chain: int
    end: str
    problems: Sequence[AuditProblem]


def verify_audit(ports: Ports) -> Verified:
    """Read the whole audit log, and return what is wrong with it."""
    redactions, mentioned, end = redactions_of(ports), _mentioned(ports), None
    with suppress(*DAMAGED):
        end = ports.audit.head(CHECKPOINTS)
    looks = [
        _look(ports, subject, redactions, mentioned.get(subject))
        for subject in sorted({*ports.audit.subjects(), *mentioned})
    ]
    began_at = min((look.began_at for look in looks if look.began_at), default=None)
    found = [problem for look in looks for problem in (*look.problems, *late_problems(look.unlinked, began_at))]
    found = list(dict.fromkeys(found))
    return Verified(
        sound=not found,
        subjects=len(looks),
        entries=sum(look.entries for look in looks),
        before_the_chain=sum(len(look.unlinked) for look in looks),
        end=end.hash if end else "",
        problems=[AuditProblem(**vars(problem)) for problem in found],
    )


def redactions_of(ports: Ports) -> Redacted:
    """Return what erasures have redacted in the log."""
    return redactions_in(ports.audit.all_of(ERASURES))


def audit_sentences(verified: Verified) -> Iterator[str]:
    """Yield each problem as a sentence."""
    return (Problem(**vars(problem)).sentence for problem in verified.problems)


@dataclass(frozen=True, kw_only=True)
class _Look:
    entries: int
    unlinked: Sequence[AuditEntry]
    began_at: datetime | None
    problems: Sequence[Problem]


def _look(ports: Ports, subject: str, redactions: Redacted, mentioned: Head | None) -> _Look:
    """Read a subject's log; again if something is wrong, because it may have changed while it was read."""
    for again in range(_MOST_LOOKS):
        if again:
            redactions, mentioned = redactions_of(ports), _mentioned(ports).get(subject)
        entries = list(ports.audit.all_of(subject))
        try:
            head = ports.audit.head(subject)
        except DAMAGED:
            found: tuple[Problem, ...] = (Problem(subject=subject, number=None, reason=BROKEN_HEAD),)
            break
        found = tuple(problems(subject, head, entries, redactions, mentioned))
        if not found or (again and ports.audit.head(subject) == head):
            break
    return _Look(
        entries=len(entries),
        unlinked=[entry for entry in entries if entry.link is None],
        began_at=min((entry.deed.at for entry in entries if entry.link), default=None),
        problems=found,
    )


def _mentioned(ports: Ports) -> Mapping[str, Head]:
    return mentioned_in(ports.audit.all_of(CHECKPOINTS))
