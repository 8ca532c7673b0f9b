"""A broken run in words: what happened, and the command that repeats it."""

from collections.abc import Iterator

from local.simulator.judge.run_log import Outcome, RunLine

_MOST_LINES = 120


def story(outcome: Outcome, command: str) -> str:
    """Return the story of a broken run: the breach, the faults it takes, the events around them, and the command."""
    breach = outcome.breaches[0]
    lines = [
        f"seed {outcome.seed}: {breach.what}",
        f"  execution {breach.execution_id or '(none)'}, at {breach.at:%Y-%m-%d %H:%M:%S} UTC",
        f"  it takes {len(outcome.injected)} faults:",
        *(f"    {fault.kind} at {fault.place}" for fault in outcome.injected),
        "  what happened:",
        *(f"    {line.at:%d %H:%M:%S} {line.who}: {line.what}" for line in _about(outcome, breach.execution_id)),
        f"  see it again: {command}",
    ]
    return "\n".join(lines)


def _about(outcome: Outcome, execution_id: str) -> Iterator[RunLine]:
    """Yield the last plain lines that concern an execution, or its recipe."""
    recipe_id = execution_id.partition("_")[0]
    lines = [
        line
        for line in outcome.log
        if line.plain
        and " is due at " not in line.what
        and (recipe_id in line.who or recipe_id in line.what or line.who in ("fault", "BROKEN"))
    ]
    yield from lines[-_MOST_LINES:]
