"""The delivery contract, held against every step of a run as it takes effect.

It looks at what was asked of the stores and of FCM, keeps books of its own, and shares no rule with the code that it
judges: states, caps and times are written down here once more.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.domain.dead_tokens import token_key
from functions.domain.delivery import Envelope, Message
from functions.domain.execution import Execution, State
from functions.domain.partition import read_rows
from functions.domain.recipe import read
from functions.domain.shard import PushFiles, Shard
from functions.usecases.steps import timeline_of
from local.simulator.workers import Worker

_MAY_BECOME: Mapping[str, str] = {
    "launched": "audience_ready cancelled blocked expired stopped failed",
    "audience_ready": "tested live cancelled blocked expired stopped failed",
    "tested": "live cancelled blocked expired stopped failed",
    "live": "completed stopped failed",
}
_CAPS = (
    ("layer 3 cooldown", {3}, 72, 1),
    ("layer 5 cooldown", {5}, 96, 1),
    ("limit of layers 2 and 3", {2, 3}, 168, 3),
)
_EARLY = timedelta(seconds=60)
"""How far ahead the clock of Cloud Tasks may be; our own is not, so nothing may leave early by it."""
_SHORTEST_WINDOW = timedelta(minutes=5)
_ANNOUNCED = frozenset(b"IJ")
_IN_DOUBT = frozenset(b"UL")
_MAY_FOLLOW_AN_ANNOUNCEMENT = frozenset(b".ISFULJVM")


@dataclass
class Watched:
    """What is known of an execution: its state, and the steps at which it went live and ended."""

    execution: Execution
    resend: bool
    layers: tuple[int, ...]
    test_mode: bool
    ended_at_step: int | None = None
    first_files: dict[int, PushFiles] = field(default_factory=dict)
    rows: dict[tuple[int, bool], list[list[str]]] = field(default_factory=dict)
    places: dict[tuple[int, bool], dict[str, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A row whose INTENT was stored: at which step, while the execution was in which state, by whom."""

    step: int
    state: State
    by: str


Row = tuple[str, int, bool, int]
"""An execution, a push, whether it is a test, and the place of a row in the push's file."""


class Contract:
    """Keeps the books of one run; `broken` hears of every breach, in words, with the execution it concerns.

    `texts_known` says that the pushes are those of `scenario`, so that the words of each message can be foretold.
    """

    def __init__(
        self, now: Callable[[], datetime], broken: Callable[[str, str], None], *, texts_known: bool = True
    ) -> None:
        self._now, self._broken, self._texts_known = now, broken, texts_known
        self.step = 0
        self.watched: dict[str, Watched] = {}
        self.announced: dict[Row, list[Announced]] = defaultdict(list)
        self.requests: dict[tuple[str, int, bool, str], int] = defaultdict(int)
        self.arrived: dict[Row, int] = defaultdict(int)
        self._outcomes: dict[tuple[str, str], bytes] = {}
        self._got: dict[str, dict[tuple[str, int], tuple[datetime, int]]] = defaultdict(dict)
        self._buried: dict[bytes, int] = {}
        self._files: dict[str, bytes] = {}
        self._doomed: dict[str, str] = {}
        self.tokens_deleted: set[str] = set()

    # What the stores are asked.

    def observe(self, call: str, args: tuple[Any, ...], answer: Any, worker: Worker | None) -> None:
        """Look at a call that has just taken effect."""
        self.step += 1
        if call == "executions.create":
            self._created(args[0], created=answer)
        elif call == "executions.change":
            self._changed(answer)
        elif call == "executions.save_push":
            self._built(args[0])
        elif call == "files.delete":
            self.tokens_deleted.add(args[0])
        elif call in ("executions.save_shard", "executions.settle_shard", "executions.create_shard"):
            self._wrote(answer, worker)

    def stored(self, name: str, content: bytes) -> None:
        """Look at a file that was stored, or found stored; the tokens beside an audience may be written anew."""
        if name.startswith("devices/"):
            return
        if self._files.setdefault(name, content) != content:
            self._broken(name.split("/")[1], f"the file {name} was replaced after it was written")

    def buried(self, graves: bytes) -> None:
        """Look at the graves of a partition."""
        self.step += 1
        for start in range(0, len(graves), 12):
            self._buried.setdefault(graves[start : start + 8], self.step)

    def doom(self, execution_id: str, why: str) -> None:
        """Note that an execution must never go live, for somebody was told so."""
        self._doomed.setdefault(execution_id, why)

    def doom_unless_live(self, execution_id: str, why: str) -> None:
        """Note the same of an execution that has not gone live yet."""
        if self.watched[execution_id].execution.state is not State.LIVE:
            self.doom(execution_id, why)

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
            )
            start = execution.send_at - recipe.schedule.lead
            if self._now() < start - _EARLY:
                self._broken(execution.id, f"it was launched before its start at {start:%H:%M:%S}")

    def _changed(self, execution: Execution) -> None:
        known = self.watched[execution.id]
        before, known.execution = known.execution, execution
        if execution.state is before.state:
            return
        if execution.state.value not in _MAY_BECOME.get(before.state.value, "").split():
            self._broken(execution.id, f"it was {before.state} and became {execution.state}")
        if execution.state is State.LIVE:
            self._went_live(known, before)
        if execution.state.value not in _MAY_BECOME:
            known.ended_at_step = self.step

    def _went_live(self, known: Watched, before: Execution) -> None:
        execution, now = known.execution, self._now()
        recipe = read(execution.recipe)
        if execution.id in self._doomed:
            self._broken(execution.id, f"it went live although {self._doomed[execution.id]}")
        if now < execution.send_at:
            self._broken(execution.id, f"it went live before its send time {execution.send_at:%H:%M:%S}")
        if recipe.settings.safeguards.require_test_first:
            self._tested_first(known, before)
        for push, files in known.first_files.items():
            if files.live.size > recipe.settings.safeguards.max_audience_size:
                self._broken(execution.id, f"it went live although push {push} has {files.live.size} users")
        tested = [times.ended_at for phase, times in before.phases.items() if phase.value == "test_sending"]
        window = min(_SHORTEST_WINDOW, recipe.window)
        if tested and tested[0] is not None and not recipe.test_mode and now < tested[0] + window:
            self._broken(execution.id, "it went live before people had their window to cancel it")

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
                self._broken(files.execution_id, f"the audience of push {files.push} is another than was shown")

    def _wrote(self, shard: Shard, worker: Worker | None) -> None:
        key = (shard.execution_id, shard.key)
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
        elif new in b"SF" and old not in _ANNOUNCED:
            self._broken(
                row[0], f"{name} became {chr(new)!r} although nothing had announced it (it was {chr(old)!r})"
            )
        elif old == ord("S"):
            self._broken(row[0], f"{name} was sent and became {chr(new)!r}")
        elif old in _ANNOUNCED and new not in _MAY_FOLLOW_AN_ANNOUNCEMENT:
            self._broken(row[0], f"{name} was announced and became {chr(new)!r}")

    # What leaves for the phones.

    def left(self, envelope: Envelope, message: Message, *, arrives: bool, worker: Worker) -> None:
        """Look at a request that has just left."""
        self.step += 1
        known = self.watched[envelope.execution_id]
        identity, push = envelope.execution_id, envelope.push
        if envelope.dry_run:
            return
        if known.test_mode and not envelope.test:
            self._broken(identity, f"a dry run sent to {message.user_id}")
        key = (identity, push, envelope.test, message.token)
        self.requests[key] += 1
        if self.requests[key] > 1 + known.resend:
            self._broken(identity, f"push {push} was requested {self.requests[key]} times for {message.token}")
        buried = self._buried.get(token_key(message.token))
        if buried is not None and buried < worker.began_step:
            self._broken(identity, f"push {push} went to {message.token}, which FCM had called dead")
        self._on_time(known, envelope, worker)
        place = self._place_of(known, envelope, message)
        if place is not None:
            row = (identity, push, envelope.test, place)
            self._was_announced(row, worker)
            if arrives:
                self._arrives(known, row, message)

    def _on_time(self, known: Watched, envelope: Envelope, worker: Worker) -> None:
        execution, now = known.execution, self._now()
        recipe = read(execution.recipe)
        timeline = timeline_of(recipe, execution.send_at)
        due_at = timeline.test_at if envelope.test else timeline.push_at[envelope.push - 1]
        if now < due_at:
            self._broken(execution.id, f"push {envelope.push} left before it was due at {due_at:%H:%M:%S}")
        latest = execution.send_at if envelope.test else due_at
        latest += timedelta(minutes=recipe.settings.max_lateness_minutes, seconds=5)
        if worker.began_at > latest:
            self._broken(execution.id, f"push {envelope.push} was begun too late: it was due at {due_at:%H:%M:%S}")

    def _place_of(self, known: Watched, envelope: Envelope, message: Message) -> int | None:
        """Return the row of the audience shown that a message is for; it has to say what the row says."""
        rows = self._rows(known, envelope.push, test=envelope.test)
        for place in known.places[envelope.push, envelope.test].get(message.user_id, ()):
            if not self._texts_known or _says(message, envelope.push, rows[place]):
                return place
        self._broken(
            envelope.execution_id, f"push {envelope.push} left for {message.user_id}, as nobody was shown it"
        )
        return None

    def _was_announced(self, row: Row, worker: Worker) -> None:
        mine = [entry for entry in self.announced[row] if entry.by == worker.name]
        what = f"push {row[1]} left for row {row[3]}"
        if not mine:
            self._broken(row[0], f"{what} before its INTENT was stored")
            return
        ended = self.watched[row[0]].ended_at_step
        if ended is not None and mine[-1].step > ended:
            self._broken(row[0], f"{what} although its chunk began after the execution had ended")

    def _arrives(self, known: Watched, row: Row, message: Message) -> None:
        self.arrived[row] += 1
        layer = known.layers[row[1] - 1]
        if row[2] or layer in (1, 4):
            return
        timeline = timeline_of(read(known.execution.recipe), known.execution.send_at)
        got = self._got[message.user_id]
        got[row[0], row[1]] = (timeline.push_at[row[1] - 1], layer)
        for name, layers, hours, most in _CAPS:
            at = sorted(at for at, layer in got.values() if layer in layers)
            for first, last in zip(at, at[most:], strict=False):
                if last - first < timedelta(hours=hours):
                    self._broken(row[0], f"{message.user_id} got {most + 1} pushes within {hours} hours ({name})")

    # Books that both need.

    def outcomes(self, execution_id: str) -> dict[str, bytes]:
        """Return the last outcomes of an execution's shards, by their keys."""
        return {key: outcomes for (owner, key), outcomes in self._outcomes.items() if owner == execution_id}

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


def _says(message: Message, push: int, row: Sequence[str]) -> bool:
    _, name, shoe = row
    return message.title == f"Push {push} for {name}" and (not shoe or shoe in message.body)
