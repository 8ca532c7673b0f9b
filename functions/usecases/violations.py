"""Violations of all executions that wait for somebody, and resolving one."""

from collections.abc import Sequence

from functions.domain.errors import NotFound
from functions.domain.safeguards import Violation
from functions.ports import Ports

MOST_OPEN = 500


def open_violations(ports: Ports, *, most: int = 100) -> Sequence[Violation]:
    """Return the violations that nobody has resolved, newest first; at most 500."""
    return ports.executions.open_violations(most=max(1, min(most, MOST_OPEN)))


def resolve_violation(ports: Ports, execution_id: str, violation_id: str, *, by: str) -> Violation:
    """Mark a violation as looked after, by somebody's e-mail address; whoever was first stays.

    NotFound where there is none. Where its execution is not named, it is looked for among those that are open.
    """
    if not execution_id:
        waiting = ports.executions.open_violations(most=MOST_OPEN)
        found = next((violation for violation in waiting if violation.id == violation_id), None)
        if found is None:
            raise NotFound(
                f"no open violation is {violation_id!r}; name its executionId to find one that is not open"
            )
        execution_id = found.execution_id
    return ports.executions.resolve(execution_id, violation_id, ports.clock.now(), by)
