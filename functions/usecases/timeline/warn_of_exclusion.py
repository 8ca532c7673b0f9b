"""Warn about a push that reaches no user because its whole audience is excluded."""

import csv
from collections.abc import Mapping

from functions.domain.audience.whole_exclusion import by_cadence, whole_exclusion
from functions.domain.ids import is_user_id
from functions.domain.push.outcomes import Exclusion, Tally
from functions.domain.push.shard import PushFiles
from functions.domain.recipe.timeline import Phase
from functions.ports import Ports
from functions.usecases.timeline.built_pushes import Built
from functions.usecases.timeline.journal import breach, note
from functions.usecases.timeline.steps import Run


def warn_of_built(ports: Ports, run: Run, files: PushFiles) -> None:
    """Warn at T-30 about an audience that no message can reach, while people can still cancel."""
    size = files.live.size
    if size and not files.devices:
        excluded = {
            Exclusion.OPTED_OUT.value: files.opted_out,
            Exclusion.NO_TOKEN.value: size - files.dead_tokens - files.opted_out,
            Exclusion.DEAD_TOKEN.value: files.dead_tokens,
        }
        _warn(ports, run, Phase.AUDIENCE_GENERATION, files, excluded)
    elif size and not _any_valid_id(ports, files):
        excluded = {Exclusion.INVALID_USER_ID.value: size}
        _warn(ports, run, Phase.AUDIENCE_GENERATION, files, excluded)


def warn_of_sent(ports: Ports, run: Run, built: Built) -> None:
    """Warn at the end about each push whose users were all excluded. A warning from T-30 is not repeated."""
    for files in built.pushes:
        tally = sum((shard.tally for shard in built.live_shards if shard.push == files.push), Tally())
        _warn(ports, run, Phase.LIVE_EXECUTION, files, tally.excluded)


def _any_valid_id(ports: Ports, files: PushFiles) -> bool:
    """Return whether any user of an audience has a valid id. Usually the first row decides."""
    form = ports.policy.user_id_format
    rows = csv.reader((line.decode() for line in ports.files.lines(files.live.rows.stored)), strict=True)
    next(rows, None)
    return any(is_user_id(row[0], form) for row in rows)


def _warn(ports: Ports, run: Run, phase: Phase, files: PushFiles, excluded: Mapping[str, int]) -> None:
    """Record a violation. Exclusions by cadence rules are intended and only logged."""
    form = ports.policy.user_id_format.value
    finding = whole_exclusion(files.push, files.live.size, excluded, user_id_format=form)
    if finding is None:
        return
    if by_cadence(excluded):
        note(ports, run.execution.id, phase, finding.message, "warning")
    else:
        breach(ports, run.execution, phase, finding, subject=str(files.push))
