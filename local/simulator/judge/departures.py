"""Check the contract whenever a request leaves for a phone."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from functions.domain.push.outcomes import Envelope, Message
from functions.domain.recipe.read import Recipe, read
from functions.usecases.timeline.steps import timeline_of
from local.simulator.judge.books import Row, Watched
from local.simulator.judge.contract import Contract
from local.simulator.judge.oracle import first_minute
from local.simulator.play.workers import Worker


class _Got(NamedTuple):
    """A push that a user got: its due time, its layer, its recipe's zone.

    `clock` is the wall-clock time for which its sequence is planned. `steps` are the pushes' timings: a delay, or a
    clock time.
    """

    at: datetime
    layer: int
    zone: ZoneInfo
    clock: datetime
    steps: tuple[timedelta | datetime, ...]


class Departures:
    """Judges each request that leaves, with the contract's books.

    `texts_known` says that the pushes are those of `scenario`, so the expected text of each message is known.
    `owners` maps tokens to the users who registered them last, if that is known. `opt_outs` maps users to the
    topics that they opted out of, empty for all pushes. `locales` has the locale of each user.
    """

    def __init__(
        self,
        contract: Contract,
        now: Callable[[], datetime],
        broken: Callable[[str, str], None],
        *,
        texts_known: bool = True,
        owners: Mapping[str, str],
        opt_outs: Mapping[str, Sequence[str]],
        locales: Mapping[str, str],
    ) -> None:
        self._contract, self._now, self._broken, self._texts_known = contract, now, broken, texts_known
        self._owners, self._opt_outs, self._locales = owners, opt_outs, locales
        self._requests: dict[tuple[str, int, bool, str], int] = defaultdict(int)
        self._sent_for: dict[tuple[str, int, bool, str], str] = {}
        self._got: dict[str, dict[tuple[str, int], _Got]] = defaultdict(dict)

    def left(self, envelope: Envelope, message: Message, *, arrives: bool, worker: Worker) -> None:
        """Check a request that has just left."""
        self._contract.step += 1
        known = self._contract.watched[envelope.execution_id]
        identity, push = envelope.execution_id, envelope.push
        if envelope.dry_run:
            return
        if known.test_mode and not envelope.test:
            self._broken(identity, f"a dry run sent to {message.user_id}")
        key = (identity, push, envelope.test, message.token)
        self._requests[key] += 1
        if self._requests[key] > 1 + known.resend:
            self._broken(identity, f"push {push} was requested {self._requests[key]} times for {message.token}")
        if self._sent_for.setdefault(key, message.user_id) != message.user_id:
            self._broken(identity, f"push {push} went to the phone {message.token} for two users")
        buried = self._contract.graves.buried_at(message.token)
        if buried is not None and buried < worker.began_step:
            self._broken(identity, f"push {push} went to {message.token}, which FCM had called dead")
        recipe = read(known.execution.recipe)
        self._on_time(known, recipe, envelope, worker)
        self._wanted(recipe, envelope, message)
        self._fits(known, envelope, message)
        if envelope.content != recipe.pushes[push - 1]:
            self._broken(identity, f"push {push} left with other content than its snapshot has")
        place = self._place_of(known, envelope, message)
        if place is not None:
            row = (identity, push, envelope.test, place)
            self._was_announced(row, worker)
            if arrives:
                self._arrives(known, row, message)

    def _wanted(self, recipe: Recipe, envelope: Envelope, message: Message) -> None:
        """Look whether it goes to the user's own phone, and to a user who wants such pushes."""
        what = f"push {envelope.push} for {message.user_id}"
        if self._owners.get(message.token, message.user_id) != message.user_id:
            self._broken(envelope.execution_id, f"{what} went to {message.token}, another user's phone")
        if not envelope.test and {"", recipe.topic} & set(self._opt_outs.get(message.user_id, ())):
            self._broken(envelope.execution_id, f"{what} left, who had opted out")

    def _fits(self, known: Watched, envelope: Envelope, message: Message) -> None:
        """Look whether the user fits the conditions that the execution began with."""
        wanted = known.locales if self._texts_known and not envelope.test else None
        if wanted is not None and self._locales[message.user_id] not in wanted:
            what = f"push {envelope.push} for {message.user_id} left, who does not fit the conditions"
            self._broken(envelope.execution_id, f"{what} of the execution's snapshot")

    def _on_time(self, known: Watched, recipe: Recipe, envelope: Envelope, worker: Worker) -> None:
        execution, now = known.execution, self._now()
        timeline = timeline_of(recipe, execution.send_at)
        due_at = timeline.test_at if envelope.test else timeline.push_at[envelope.push - 1]
        if now < due_at:
            self._broken(execution.id, f"push {envelope.push} left before it was due at {due_at:%H:%M:%S}")
        latest = execution.send_at if envelope.test else due_at
        latest += timedelta(minutes=recipe.settings.max_lateness_minutes, seconds=5)
        if worker.began_at > latest:
            self._broken(execution.id, f"push {envelope.push} started too late: it was due at {due_at:%H:%M:%S}")

    def _place_of(self, known: Watched, envelope: Envelope, message: Message) -> int | None:
        """Return the row of the shown audience that a message is for, and check the message against it."""
        rows = self._contract.rows(envelope.execution_id, envelope.push, test=envelope.test)
        for place in known.places[envelope.push, envelope.test].get(message.user_id, ()):
            if not self._texts_known or _says(message, envelope, rows[place], self._locales[message.user_id]):
                return place
        self._broken(
            envelope.execution_id, f"push {envelope.push} left for {message.user_id}, unlike the audience's row"
        )
        return None

    def _was_announced(self, row: Row, worker: Worker) -> None:
        mine = [entry for entry in self._contract.announced[row] if entry.by == worker.name]
        what = f"push {row[1]} left for row {row[3]}"
        if not mine:
            self._broken(row[0], f"{what} before its INTENT was stored")
            return
        ended = self._contract.watched[row[0]].ended_at_step
        if ended is not None and mine[-1].step > ended:
            self._broken(row[0], f"{what} although its chunk began after the execution had ended")

    def _arrives(self, known: Watched, row: Row, message: Message) -> None:
        self._contract.arrived[row] += 1
        layer = known.layers[row[1] - 1]
        holding = self._contract.holding
        if row[2] or layer in holding.exempt:
            return
        got = self._got[message.user_id]
        got[row[0], row[1]] = _planned(known, row[1], layer)
        for cap in holding.caps:
            counted = sorted((push for push in got.values() if push.layer in cap.layers), key=attrgetter("at"))
            for first in range(len(counted) - cap.most):
                if _within(counted[first : first + cap.most + 1], cap.hours):
                    what = f"{cap.most + 1} pushes within {cap.hours} hours ({cap.reason})"
                    self._broken(row[0], f"{message.user_id} got {what}")


def _planned(known: Watched, push: int, layer: int) -> _Got:
    """Return a push with its sequence's wall-clock time, which a clock change may skip, and its timings."""
    recipe = read(known.execution.recipe)
    zone, timeline = recipe.schedule.zone, timeline_of(recipe, known.execution.send_at)
    nominal = clock = _nominal(recipe, timeline.send_at)
    steps: list[timedelta | datetime] = []
    for timing in recipe.timings[1:push]:
        if timing.at is None:
            clock += timedelta(minutes=timing.delay_minutes)
            steps.append(timedelta(minutes=timing.delay_minutes))
        else:
            days = 0 if clock.time() <= timing.at else 1
            clock = datetime.combine(clock.date(), timing.at) + timedelta(days=days)
            steps.append(clock)
    return _Got(timeline.push_at[push - 1], layer, zone, nominal, tuple(steps))


def _nominal(recipe: Recipe, send_at: datetime) -> datetime:
    """Return the recipe's own send time if a clock change skips it, else the wall-clock time."""
    shown = send_at.astimezone(recipe.schedule.zone).replace(tzinfo=None)
    own = datetime.combine(shown.date(), recipe.schedule.send_time)
    planned = recipe.schedule.by_day and own < shown and first_minute(own, recipe.schedule.zone) == send_at
    return own if planned else shown


def _start(push: _Got, hours: int) -> datetime:
    """Return when a push would be due in the same sequence, a number of wall-clock hours earlier."""
    back = timedelta(hours=hours)
    at = first_minute(push.clock - back, push.zone)
    for step in push.steps:
        at = at + step if isinstance(step, timedelta) else max(at, first_minute(step - back, push.zone))
    return at


def _within(pushes: Sequence[_Got], hours: int) -> bool:
    """Return whether the first push is less than a number of wall-clock hours before the last.

    In recipes of different zones, the zone of the last reservation decided. So every zone has to be exceeded.
    """
    first, last = pushes[0].at, pushes[-1]
    if first == last.at:
        return True
    starts = [_start(last, hours)]
    for zone in {push.zone for push in pushes} - {last.zone}:
        starts.append(first_minute(last.at.astimezone(zone).replace(tzinfo=None) - timedelta(hours=hours), zone))
    return first > max(starts)


def _says(message: Message, envelope: Envelope, row: Sequence[str], locale: str) -> bool:
    _, name, goal, *_ = row
    preposition = "für" if envelope.content.translations and locale[:2] == "de" else "for"
    image = envelope.content.image
    shown = quote(goal or "goal", safe="")
    more: tuple[str, ...] = (f"https://img.example/{shown}.png",) if image and image.columns else ()
    more += (f"{preposition.capitalize()} {name}", name) if envelope.content.buttons else ()
    titled = message.title == f"Push {envelope.push} {preposition} {name}"
    return titled and message.more == more and (not goal or goal in message.body)
