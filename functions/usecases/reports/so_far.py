"""The numbers of a live execution until it is cleaned up, by its finished shards. Nothing here reads a shard."""

from collections.abc import Sequence
from dataclasses import replace

from functions.domain.execution.execution import State
from functions.domain.push.outcomes import Tally
from functions.ports import Ports
from functions.usecases.reports.executions import ExecutionSummary
from functions.usecases.reports.numbers import totals_of
from functions.usecases.timeline.built_pushes import built_pushes


def everyone_sent_to(ports: Ports, execution_id: str, state: State) -> bool:
    """Return whether all shards of a live execution are done, so that a stop changes nothing.

    False in every other state.
    """
    return state is State.LIVE and not tally_so_far(ports, execution_id).not_reached


def tally_so_far(ports: Ports, execution_id: str) -> Tally:
    """Return the users of all live audiences of an execution by outcome; those of unfinished shards are not reached.

    Reasons for exclusions are summed up under the key "all".
    """
    return among_all(ports, execution_id, ports.shards.progress(execution_id))


def among_all(ports: Ports, execution_id: str, done: Tally) -> Tally:
    """Return the tally of an execution's finished shards among the users of all its live audiences."""
    return replace(done, audience_size=sum(files.live.size for files in built_pushes(ports, execution_id)))


def with_numbers_so_far(ports: Ports, sends: Sequence[ExecutionSummary]) -> list[ExecutionSummary]:
    """Return a list of sends whose live ones have totals too."""
    return [
        replace(each, totals=totals_of(tally_so_far(ports, each.execution_id)))
        if each.status is State.LIVE and each.totals is None
        else each
        for each in sends
    ]
