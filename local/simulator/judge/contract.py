"""Check the delivery contract at every step of a run.

This module checks the calls of the stores, `departures` the requests to phones. It keeps its own books and shares no
rule with the code that it judges: it defines states, caps and times a second time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from functions.domain.audience.partition import read_rows
from functions.domain.execution.execution import Execution, Kind, State
from functions.domain.execution.safeguards import Violation, ViolationType
from functions.domain.push.images import Image
from functions.domain.push.shard import PushFiles, Shard
from functions.domain.recipe.read import read
from local.simulator.judge.books import Announced, Row, Watched
from local.simulator.judge.caps import caps_of
from local.simulator.judge.defaults import all_carry, defaults_of
from local.simulator.judge.graves import Graves
from local.simulator.play.segments import locales_wanted
from local.simulator.play.workers import Worker

_MAY_BECOME: Mapping[str, str] = {
    "launched": "audience_ready cancelled blocked expired stopped failed",
    "audience_ready": "tested live cancelled blocked expired stopped failed",
    "tested": "live cancelled blocked expired stopped failed",
    "live": "completed stopped failed",
}
_TEST_MAY_BECOME: Mapping[str, str] = {
    "launched": "audience_ready cancelled blocked expired stopped failed",
    "audience_ready": "completed cancelled blocked expired stopped failed",
}
_EARLY = timedelta(seconds=60)
"""How far ahead the clock of Cloud Tasks may be. Our own clock is exact, so nothing may leave early."""
_SHORTEST_WINDOW = timedelta(minutes=5)
_STEPS_COME_AGAIN = timedelta(minutes=3)
_ANNOUNCED = frozenset(b"IJ")
_IN_DOUBT = frozenset(b"UL")
_MAY_FOLLOW_AN_ANNOUNCEMENT = frozenset(b".ISFPTULJVM")


class Contract:
    """Keeps the books of one run, and calls `broken` for each breach with the execution's id and a sentence.

    `workspace` is the folder of the day's workspace.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        broken: Callable[[str, str], None],
        *,
        most_at_once: int,
        workspace: Path,
        graves: Graves,
    ) -> None:
        self._now, self._broken, self._most_at_once = now, broken, most_at_once
        self.holding = self._caps = caps_of(workspace)
        self._defaults, self.graves = [defaults_of(workspace)], graves
        self.step = 0
        self.watched: dict[str, Watched] = {}
        self.announced: dict[Row, list[Announced]] = defaultdict(list)
        self.arrived: dict[Row, int] = defaultdict(int)
        self._outcomes: dict[tuple[str, str], bytes] = {}
        self._files: dict[str, bytes] = {}
        self._doomed: dict[str, str] = {}
        self.tokens_deleted: set[str] = set()
        self.excused: set[str] = set()
        """Executions with a worker that reserved after its lease and could not undo that; users notice nothing."""

    def observe(self, call: str, args: tuple[Any, ...], answer: Any, worker: Worker | None) -> None:
        """Check a call that has just taken effect."""
        self.step += 1
        if call == "executions.create":
            self._created(args[0], created=answer)
        elif call == "executions.change":
            self._changed(answer)
        elif call == "violations.record":
            self._judged(args[0], worker)
        elif call == "shards.save_push":
            self._built(args[0])
        elif call in ("shards.save", "shards.settle", "shards.create"):
            self._wrote(answer, worker)
        elif call == "images.look" and worker is not None:
            self.watched[worker.execution_id].looks.append(all(isinstance(look, Image) for look in answer.values()))
        elif call == "ledger.transact" and isinstance(answer, Mapping):
            self._decided(answer, worker)

    def change_workspace(self, folder: Path) -> None:
        """Note that a release has another workspace. From then on only rules hold that were there before, too.

        Executions begin with its defaults from then on, unless their worker began before.
        """
        self.step += 1
        self._defaults.append(defaults_of(folder))
        self._caps = caps_of(folder)
        self.holding = self.holding.kept_by(self._caps)

    def _decided(self, held_back: Mapping[bytes, str], worker: Worker | None) -> None:
        """Note the users that rules hold back from what a worker sends, each with the rule's reason."""
        known = self.watched.get(worker.execution_id) if worker is not None else None
        if known is None:
            return
        for user, reason in held_back.items():
            known.held_back[user].add(str(reason) if reason in known.reasons else "other")

    def stored(self, name: str, content: bytes, worker: Worker | None) -> None:
        """Check a file that was stored, or found stored. Only the tokens beside an audience may be written again."""
        if name.startswith("devices/"):
            if worker is not None:
                self.graves.built(name, content, worker)
            return
        if self._files.setdefault(name, content) != content:
            self._broken(name.split("/")[1], f"the file {name} was replaced after it was written")

    def buried(self, partition: int, graves: bytes, called_dead: Collection[str], *, lifting: bool) -> None:
        """Check a partition's graves; see Graves."""
        self.step += 1
        self.graves.buried(partition, graves, called_dead, self.step, lifting=lifting)

    def deleted(self, folder: str, left: Sequence[str]) -> None:
        """Check a folder of device tokens that was deleted; `left` are the files that are still in it."""
        self.step += 1
        if left:
            self._broken(folder.split("/")[1], f"device tokens were kept when they were deleted: {', '.join(left)}")
        self.tokens_deleted.add(folder)

    def doom(self, execution_id: str, why: str) -> None:
        """Note that an execution must never go live, because a person was told so."""
        self._doomed.setdefault(execution_id, why)

    def doom_unless_live(self, execution_id: str, why: str) -> None:
        """Note the same for an execution that has not gone live yet, or that does not exist yet."""
        known = self.watched.get(execution_id)
        if known is None or known.execution.state is not State.LIVE:
            self.doom(execution_id, why)

    def spare(self, execution_id: str, why: str) -> None:
        """Forget what was noted for this reason: a person took it back."""
        if self._doomed.get(execution_id) == why:
            del self._doomed[execution_id]

    def _created(self, execution: Execution, *, created: bool) -> None:
        known = self.watched.get(execution.id)
        if not created:
            return
        if known is not None and known.execution.claim != execution.claim:
            self._broken(execution.id, "the execution was created twice")
            return
        if known is None:
            recipe = read(execution.recipe)
            self.watched[execution.id] = Watched(
                execution=execution,
                resend=recipe.settings.on_unknown.value == "resend",
                layers=tuple(push.layer_id for push in recipe.pushes),
                test_mode=recipe.test_mode,
                reasons=frozenset(cap.reason for cap in self._caps.caps),
                locales=locales_wanted(execution.recipe["audienceCriteria"]),
            )
            self._note_turns()
            if not any(all_carry(execution.recipe["pushSequence"], each) for each in self._defaults):
                self._broken(execution.id, "it was launched without the defaults of its workspace")
            start = execution.send_at - recipe.schedule.lead
            if self._now() < start - _EARLY:
                self._broken(execution.id, f"it was launched before its start at {start:%H:%M:%S}")

    def _changed(self, execution: Execution) -> None:
        known = self.watched[execution.id]
        before, known.execution = known.execution, execution
        if execution.state is before.state:
            return
        table = _TEST_MAY_BECOME if execution.kind is Kind.TEST else _MAY_BECOME
        if execution.state.value not in table.get(before.state.value, "").split():
            self._broken(execution.id, f"it was {before.state} and became {execution.state}")
        if execution.state is State.AUDIENCE_READY and (busy := self._busy_before(known)) >= self._most_at_once:
            self._broken(
                execution.id, f"it ran beside {busy} executions before it; the limit is {self._most_at_once}"
            )
        if execution.state is State.LIVE:
            self._went_live(known, before)
        if execution.state.value not in _MAY_BECOME:
            known.ended_at_step = self.step
        self._note_turns()

    def _busy_before(self, known: Watched) -> int:
        """Return how many executions created before this one count against the limit."""
        before = takewhile(lambda other: other is not known, self.watched.values())
        return sum(other.takes_a_place for other in before)

    def _note_turns(self) -> None:
        """Note the executions whose turn has come: fewer than the limit run before them."""
        for known in self.watched.values():
            if known.turn_at_step is None and self._busy_before(known) < self._most_at_once:
                known.turn_at_step = self.step

    def _judged(self, violation: Violation, worker: Worker | None) -> None:
        """Check an execution that has to wait its turn, or that is blocked as one too many or for its images."""
        known = self.watched[violation.execution_id]
        self._untouched(violation)
        blocked = violation.finding.action == "blocked"
        if violation.finding.type is ViolationType.IMAGE_BROKEN and blocked and not _requires_images(known.execution):
            self._broken(violation.execution_id, "its images blocked it although its recipe does not require them")
        if violation.finding.type is not ViolationType.TOO_MANY_EXECUTIONS or worker is None:
            return
        said = "it was blocked as one too many" if blocked else "it had to wait its turn"
        if known.turn_at_step is not None and known.turn_at_step <= worker.began_step:
            self._broken(violation.execution_id, f"{said} although its turn had come")
        recipe = read(known.execution.recipe)
        latest = known.execution.send_at + timedelta(minutes=recipe.settings.max_lateness_minutes)
        latest -= min(_SHORTEST_WINDOW, recipe.window) + _STEPS_COME_AGAIN
        if blocked and self._now() < latest:
            self._broken(violation.execution_id, f"{said} although it could wait until {latest:%H:%M:%S}")

    def _untouched(self, violation: Violation) -> None:
        """Check that no audience counts as gone or changed: only the cleanup touches one."""
        finding, folder = violation.finding, f"devices/{violation.execution_id}"
        failed = finding.type is ViolationType.AUDIENCE_FAILED and "the audience again" in finding.message
        if failed and folder not in self.tokens_deleted:
            self._broken(violation.execution_id, "its audience counts as changed although nobody changed it")

    def _went_live(self, known: Watched, before: Execution) -> None:
        execution, now = known.execution, self._now()
        recipe = read(execution.recipe)
        if execution.id in self._doomed:
            self._broken(execution.id, f"it went live although {self._doomed[execution.id]}")
        self._alone(known)
        if now < execution.send_at:
            self._broken(execution.id, f"it went live before its send time {execution.send_at:%H:%M:%S}")
        if recipe.settings.safeguards.require_test_first:
            self._tested_first(known, before)
        if _requires_images(execution) and known.looks and not any(known.looks):
            self._broken(execution.id, "it went live although no look found all the images that it requires")
        for push, files in known.first_files.items():
            if files.live.size > recipe.settings.safeguards.max_audience_size:
                self._broken(execution.id, f"it went live although push {push} has {files.live.size} users")
        tested = [times.ended_at for phase, times in before.phases.items() if phase.value == "test_sending"]
        window = min(_SHORTEST_WINDOW, recipe.window)
        if tested and tested[0] is not None and not recipe.test_mode and now < tested[0] + window:
            self._broken(execution.id, "it went live before its cancellation window ended")

    def _alone(self, known: Watched) -> None:
        """Check the recipe's other executions: one by hand runs alone, and a day has one scheduled send."""
        execution = known.execution
        known.went_live = True
        for earlier in self.watched.values():
            if earlier is not known and earlier.went_live and known.day is not None and known.day == earlier.day:
                self._broken(execution.id, f"{execution.recipe_id} was sent twice on {known.day[1]}")
        live = [other.execution for other in self.watched.values() if other.execution.state is State.LIVE]
        for other in (other for other in live if other.recipe_id == execution.recipe_id and other.id != execution.id):
            if Kind.MANUAL in (execution.kind, other.kind):
                self._broken(execution.id, f"it went live beside {other.id} of the same recipe")

    def _tested_first(self, known: Watched, before: Execution) -> None:
        if before.state is not State.TESTED:
            self._broken(known.execution.id, "it went live without the test send that it requires")
            return
        for push in known.first_files:
            for place in range(len(self._rows(known, push, test=True))):
                if not self.arrived.get((known.execution.id, push, True, place)):
                    self._broken(
                        known.execution.id, f"it went live although test row {place} of {push} never arrived"
                    )

    def _built(self, files: PushFiles) -> None:
        known = self.watched[files.execution_id]
        first = known.first_files.setdefault(files.push, files)
        for shown, given in ((first.live.rows, files.live.rows), (first.test.rows, files.test.rows)):
            if shown != given:
                self._broken(files.execution_id, f"the audience of push {files.push} differs from the shown one")

    def _wrote(self, shard: Shard, worker: Worker | None) -> None:
        key = (shard.execution_id, shard.key)
        if shard.done and not shard.test:
            self.watched[shard.execution_id].closed[shard.key] = len(shard.outcomes)
            self._note_turns()
        before = self._outcomes.get(key, b"." * len(shard.outcomes))
        self._outcomes[key] = shard.outcomes
        if before == shard.outcomes:
            return
        known = self.watched[shard.execution_id]
        first = self._first_row(known, shard)
        for position, (old, new) in enumerate(zip(before, shard.outcomes, strict=True)):
            if old != new:
                self._row_changed((shard.execution_id, shard.push, shard.test, first + position), old, new, worker)

    def _row_changed(self, row: Row, old: int, new: int, worker: Worker | None) -> None:
        known, name = self.watched[row[0]], f"row {row[3]} of push {row[1]}{' (test)' if row[2] else ''}"
        if new in _ANNOUNCED:
            expected = State.AUDIENCE_READY if row[2] else State.LIVE
            if known.execution.state is not expected:
                self._broken(row[0], f"{name} was announced while the execution was {known.execution.state}")
            if old != ord(".") and not (known.resend and old in _IN_DOUBT):
                self._broken(row[0], f"{name} was announced again after it was {chr(old)!r}")
            by = worker.name if worker else ""
            self.announced[row].append(Announced(step=self.step, state=known.execution.state, by=by))
        elif new in b"SFPT" and old not in _ANNOUNCED:
            self._broken(row[0], f"{name} became {chr(new)!r} although no INTENT announced it (it was {chr(old)!r})")
        elif old == ord("S"):
            self._broken(row[0], f"{name} was sent and became {chr(new)!r}")
        elif old in _ANNOUNCED and new not in _MAY_FOLLOW_AN_ANNOUNCEMENT:
            self._broken(row[0], f"{name} was announced and became {chr(new)!r}")

    def rows(self, execution_id: str, push: int, *, test: bool) -> list[list[str]]:
        """Return the rows of the audience that was shown, or of its TEST audience."""
        return self._rows(self.watched[execution_id], push, test=test)

    def _rows(self, known: Watched, push: int, *, test: bool) -> list[list[str]]:
        if (push, test) not in known.rows:
            files = known.first_files.get(push)
            if files is None:
                return []
            stored = (files.test if test else files.live).rows.stored
            known.rows[push, test] = rows = list(read_rows(self._files[stored.name]))[1:]
            places = known.places[push, test]
            for place, row in enumerate(rows):
                places[row[0]].append(place)
        return known.rows[push, test]

    def _first_row(self, known: Watched, shard: Shard) -> int:
        start = shard.partitions.start
        if not start:
            return 0
        files = known.first_files[shard.push]
        return (files.test if shard.test else files.live).rows.index.rows_in(range(start))


def _requires_images(execution: Execution) -> bool:
    return read(execution.recipe).settings.safeguards.require_images
