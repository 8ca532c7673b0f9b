"""List the unresolved violations of all executions, and resolve one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from functions.domain.errors import NotFound
from functions.domain.execution.safeguards import Violation
from functions.ports import Ports
from functions.ports.violations import ViolationPlace, violation_place

LONGEST_NOTE = 500
"""The most characters of a note."""
_READ_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class OpenViolations:
    """A page of violations. The next page begins after the place `next`; None: there is none."""

    violations: Sequence[Violation]
    next: ViolationPlace | None


def open_violations(
    ports: Ports, *, most: int = 100, recipe_id: str | None = None, after: ViolationPlace | None = None
) -> OpenViolations:
    """Return a page of the unresolved violations, of a recipe or of all, newest first."""
    found = ports.violations.unresolved(most=most + 1, recipe_id=recipe_id, after=after)
    page = found[:most]
    return OpenViolations(violations=page, next=violation_place(page[-1]) if len(found) > most else None)


def resolve_violation(ports: Ports, execution_id: str, violation_id: str, *, by: str, note: str = "") -> Violation:
    """Mark a violation as resolved by a person's e-mail address, with a note. The first resolution is kept.

    NotFound if there is none. Without its execution, it is searched among the unresolved ones.
    """
    if not execution_id:
        found = next((violation for violation in _all_open(ports) if violation.id == violation_id), None)
        if found is None:
            raise NotFound(
                f"no open violation is {violation_id!r}; name its executionId to find one that is not open"
            )
        execution_id = found.execution_id
    return ports.violations.resolve(execution_id, violation_id, ports.clock.now(), by, note.strip())


def reopen_violation(ports: Ports, execution_id: str, violation_id: str, *, by: str) -> Violation:
    """Take back the resolution of a violation. NotFound if there is none."""
    return ports.violations.reopen(execution_id, violation_id, ports.clock.now(), by)


def _all_open(ports: Ports) -> Iterator[Violation]:
    page = open_violations(ports, most=_READ_AT_ONCE)
    yield from page.violations
    while page.next is not None:
        page = open_violations(ports, most=_READ_AT_ONCE, after=page.next)
        yield from page.violations
