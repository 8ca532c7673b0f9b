"""Actions of people on recipes and executions, and other unexpected events, all drawn from the seed."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.alerts.cancel_link import make_token
from functions.domain.errors import BadInput, NotFound, NotPossible
from functions.domain.ids import execution_id
from functions.domain.recipe.first_send import Underway
from functions.ports import Ports
from functions.usecases.alerting.cancel_by_link import Standing, cancel_by_link, look_at_link
from functions.usecases.moving_in.migrate import migration_status
from functions.usecases.recipes.move_send import move_send
from functions.usecases.recipes.save import (
    delete_recipe,
    pause_recipe,
    restore_send,
    resume_recipe,
    save_recipe,
    skip_send,
)
from functions.usecases.reports.audit import history_of
from functions.usecases.reports.execution import report
from functions.usecases.reports.history import notifications_of
from functions.usecases.reports.violations import open_violations, reopen_violation, resolve_violation
from functions.usecases.timeline import control
from local.simulator.judge.oracle import sends
from local.simulator.play.faults import EVENTS, Rates
from local.simulator.play.newcomers import send_a_push_once, track_a_past_push
from local.simulator.play.operators import ASKED, lift_some_graves, look_around, start_twice, stop_whatever_runs
from local.simulator.play.scenario import Scenario
from local.simulator.play.segments import change_segment, choose_other_users, drop_segment

_AROUND = (-31, -30, -26, -25, -10, -1, 0, 0, 0, 0.5, 1, 3, 12)
"""Minutes from a send time at which people like to act."""
_UNDER_WAY = (29, 20, 12, 6, 1)
"""Minutes before a send time at which its execution is running."""
_SHARE_OF_STRICTER, _SHARE_OF_LIFTS = 0.25, 0.3
_RULES_AROUND_A_SEND = 0.8
_SEGMENTS_AROUND_A_SEND = 0.6
_SEGMENT_NUMBERS = 1_000
"""The lowest number of an event that has to do with a segment."""
_AMID = (-20, -1, 0.1, 0.5, 1, 2, 4, 8)
"""Minutes from a send time at which its rows are partly decided, and its receipt is still to be written."""
_BEFORE = (600, 120, 40, 31, 30, 29, 26, 12, 5, 1, 0)
"""Minutes before a send time at which people skip the send."""
_SHARE_OF_SKIPS = 0.3
_SHARE_OF_MOVES = 0.3
_MOVED_BY = (15, -45, 90, 40, 240, -15, 5)
"""How many minutes later people send instead."""
_MOVE_NUMBERS = 3_000
"""The lowest number of an event that moves a send."""
_OPERATOR = "operator@example.com"
_UNDERWAY = (None, Underway.KEEP, Underway.REPLACE)
_RARE = {
    "delete": 0.5,
    "malformed": 0.7,
    "redeploy": 1,
    "poison": 1,
    "look": 2,
    "cancel": 1.5,
    "stop": 1.5,
    "link": 1.5,
    "once": 1,
    "tell": 1,
    "hand": 1.5,
    "halt": 0.5,
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens at an instant, to a recipe or to the execution of one of its sends."""

    at: datetime
    number: int
    kind: str
    recipe_id: str
    execution_id: str

    @property
    def subject(self) -> str:
        """Name what the event happens to."""
        if self.kind in ("cancel", "stop", "look", "force", "link"):
            return self.execution_id
        return "" if self.kind in ("redeploy", "poison", "lift", "rules") else self.recipe_id


def draw_events(seed: int, scenario: Scenario, rates: Rates) -> list[Event]:
    """Draw what happens in a scenario, in order of time."""
    random = Random(f"events {seed}")  # noqa: S311 - reproducible on purpose
    releases = Random(f"releases {seed}")  # noqa: S311 - reproducible on purpose
    lifts = Random(f"lifts {seed}")  # noqa: S311 - reproducible on purpose
    drawn = [
        *_events(random, scenario, rates),
        *_releases(releases, scenario, rates),
        *_lifts(lifts, scenario, rates),
        *_skips(Random(f"skips {seed}"), scenario, rates),  # noqa: S311 - reproducible on purpose
        *_moves(Random(f"moved sends {seed}"), scenario, rates),  # noqa: S311 - reproducible on purpose
        *_segment_changes(Random(f"segment changes {seed}"), scenario, rates),  # noqa: S311 - as above
        *_rule_changes(Random(f"rules {seed}"), scenario, rates),  # noqa: S311 - reproducible on purpose
    ]
    return sorted(drawn, key=lambda event: (event.at, event.number))


def _releases(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    """Draw a release that cannot read the running executions, around a send."""
    recipe = random.choice(scenario.recipes)
    around = list(sends(recipe, scenario.begins_at, scenario.ends_at))
    if not around or random.random() >= rates.events * _SHARE_OF_STRICTER:
        return
    send_at = random.choice(around)
    at = min(max(send_at + timedelta(minutes=random.choice(_AROUND)), scenario.begins_at), scenario.ends_at)
    identity = execution_id(recipe["id"], send_at)
    yield Event(at=at, number=0, kind="stricter", recipe_id=recipe["id"], execution_id=identity)


def _segment_changes(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    """Draw changes of segments: around a send or at any time, often while a recipe is edited or one is deleted."""
    often = rates.acts.get("segment", 1) if scenario.segments and rates.events else 0
    for number in range(round(random.choice((2, 3, 4)) * often)):
        recipe = random.choice(scenario.recipes)
        around = list(sends(recipe, scenario.begins_at, scenario.ends_at))
        at = scenario.begins_at + timedelta(seconds=random.randrange(86_400))
        if around and random.random() < _SEGMENTS_AROUND_A_SEND:
            at = random.choice(around) + timedelta(minutes=random.choice(_AROUND))
        at = min(max(at, scenario.begins_at), scenario.ends_at)
        kinds = ["segment", *random.choice(([], ["edit"], ["edit"], ["drop"], ["edit", "drop"]))]
        for place, kind in enumerate(random.sample(kinds, k=len(kinds))):
            unique = _SEGMENT_NUMBERS + 10 * number + place + 100 * random.randrange(12)
            yield Event(at=at, number=unique, kind=kind, recipe_id=recipe["id"], execution_id="")


def _rule_changes(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    """Draw when the release with other rules comes: around a send, or at any time."""
    if scenario.later is None or not rates.events:
        return
    around = [at for recipe in scenario.recipes for at in sends(recipe, scenario.begins_at, scenario.ends_at)]
    at = scenario.begins_at + timedelta(seconds=random.randrange(86_400))
    if around and random.random() < _RULES_AROUND_A_SEND:
        at = random.choice(around) + timedelta(minutes=random.choice(_AMID))
    at = min(max(at, scenario.begins_at), scenario.ends_at)
    yield Event(at=at, number=0, kind="rules", recipe_id="", execution_id="")


def _lifts(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    """Draw an operator who lifts graves of dead tokens."""
    if random.random() < rates.events * _SHARE_OF_LIFTS:
        at = scenario.begins_at + timedelta(seconds=random.randrange(86_400))
        yield Event(at=at, number=random.randrange(2), kind="lift", recipe_id="", execution_id="")


def _skips(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    """Draw an operator who skips a send, before it starts or while its execution is running."""
    recipe = random.choice(scenario.recipes)
    around = list(sends(recipe, scenario.begins_at, scenario.ends_at))
    if around and random.random() < rates.events * _SHARE_OF_SKIPS * rates.acts.get("skip", 1):
        send_at = random.choice(around)
        at = max(send_at - timedelta(minutes=random.choice(_BEFORE)), scenario.begins_at)
        identity = execution_id(recipe["id"], send_at)
        yield Event(at=at, number=0, kind="skip", recipe_id=recipe["id"], execution_id=identity)


def _moves(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    """Draw people who move a send, sometimes again, and who take that back, perhaps at the same time."""
    recipe = random.choice(scenario.recipes)
    around = list(sends(recipe, scenario.begins_at, scenario.ends_at))
    often = rates.events * _SHARE_OF_MOVES * max(rates.acts.get(kind, 1) for kind in ("shift", "restore"))
    if not around or random.random() >= often:
        return
    send_at, kinds = random.choice(around), ["shift", *random.choices(("shift", "restore"), k=random.randrange(4))]
    at = send_at - timedelta(minutes=random.choice(_BEFORE))
    for number, kind in enumerate(kinds):
        then = min(max(at, scenario.begins_at), scenario.ends_at)
        unique = _MOVE_NUMBERS + 10 * random.randrange(len(_MOVED_BY)) + number
        identity = execution_id(recipe["id"], send_at)
        yield Event(at=then, number=unique, kind=kind, recipe_id=recipe["id"], execution_id=identity)
        at += timedelta(minutes=random.choice((0, 0, 0.1, 1, 15, 60)))


def _events(random: Random, scenario: Scenario, rates: Rates) -> Iterator[Event]:
    number = 0
    for kind in EVENTS:
        for _ in range(2):
            if random.random() >= rates.events * _RARE.get(kind, 0.7) / 2 * rates.acts.get(kind, 1):
                continue
            number += 1
            recipe = random.choice(scenario.recipes)
            around = list(sends(recipe, scenario.begins_at, scenario.ends_at))
            send_at = random.choice(around) if around else scenario.begins_at
            at = send_at + timedelta(minutes=random.choice(_AROUND))
            if random.random() < 0.2:
                at = scenario.begins_at + timedelta(seconds=random.randrange(86_400))
            if kind == "move":
                at = send_at - timedelta(minutes=random.choice(_UNDER_WAY))
            identity = execution_id(recipe["id"], send_at)
            at = min(max(at, scenario.begins_at), scenario.ends_at)
            yield Event(at=at, number=number, kind=kind, recipe_id=recipe["id"], execution_id=identity)


def act(ports: Ports, event: Event, written: Mapping[str, Any]) -> bool:
    """Do a person's action; False if it was refused. `written` is the original recipe."""
    try:
        _act(ports, event, written)
    except (NotPossible, NotFound, BadInput):
        return False
    return True


def _act(ports: Ports, event: Event, written: Mapping[str, Any]) -> None:
    if event.kind == "edit":
        save_recipe(ports, _edited(event, written), by=_OPERATOR, underway=_UNDERWAY[event.number % 3])
    elif event.kind == "move":
        save_recipe(ports, _moved(written), by=_OPERATOR, underway=_UNDERWAY[event.number % 3])
    elif event.kind == "join":
        save_recipe(ports, _newcomer(event, written), by=_OPERATOR)
    else:
        _DEEDS[event.kind](ports, event)


def _look(ports: Ports, event: Event) -> None:
    """Read everything that people read, and resolve open violations."""
    history_of(ports, event.recipe_id)
    look_around(ports, event.recipe_id, event.execution_id)
    report(ports, event.execution_id)
    notifications_of(ports, "10000000-0000-4000-8000-000000000001", until=ports.clock.now(), days=7)
    migration_status(ports)
    for violation in open_violations(ports, most=3).violations:
        resolve_violation(ports, violation.execution_id, violation.id, by=_OPERATOR, note="a known outage")
        reopen_violation(ports, violation.execution_id, violation.id, by=_OPERATOR)
        resolve_violation(ports, "", violation.id, by=_OPERATOR)


def _use_link(ports: Ports, event: Event) -> None:
    """Open an alert's link, and press the button behind it."""
    token = make_token(ports.policy.alerts.link_secrets, event.execution_id, _send_of(event))
    look_at_link(ports, token)
    seen = cancel_by_link(ports, token)
    if seen.standing is not Standing.DONE:
        raise NotPossible(f"the cancel link of {event.execution_id} is {seen.standing.value}")


def _move_one(ports: Ports, event: Event) -> None:
    later = timedelta(minutes=_MOVED_BY[(event.number - _MOVE_NUMBERS) // 10])
    move_send(ports, event.recipe_id, _send_of(event), _send_of(event) + later, by=_OPERATOR)


def _send_of(event: Event) -> datetime:
    return datetime.strptime(event.execution_id.rpartition("_")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _edited(event: Event, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe with another text, sent ten minutes later after an odd event on a daily recipe."""
    document = deepcopy(dict(written))
    document["pushSequence"][0]["body"] = f"Edited at {event.at:%H:%M}: [[var:goal|goal]]"
    choose_other_users(document, event.number // 100)
    return _moved(document) if event.number % 2 and document["schedule"]["frequency"] == "daily" else document


def _moved(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe with a send time ten minutes later, within the same hour."""
    document = deepcopy(dict(written))
    hour, minute = document["schedule"]["executionTime"].split(":")
    document["schedule"]["executionTime"] = f"{hour}:{(int(minute) + 10) % 60:02d}"
    return document


def newcomer_id(event: Event) -> str:
    """Return the id of the recipe that a person adds."""
    return f"{event.recipe_id}-{event.number}"


def _newcomer(event: Event, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a recipe whose send is so near that its start has passed."""
    document = deepcopy(dict(written)) | {"id": newcomer_id(event)}
    schedule = document["schedule"]
    minutes = (4, 9, 10, 12, 20, 29)[event.number % 6]
    at = (event.at + timedelta(minutes=minutes, seconds=59)).astimezone(ZoneInfo(schedule["timezone"]))
    frequency = {"frequency": "daily"} if event.number % 2 else {"frequency": "once", "startDate": f"{at:%Y-%m-%d}"}
    document["schedule"] = schedule | {"executionTime": f"{at:%H:%M}"} | frequency
    return document


_DEEDS: Mapping[str, Callable[[Ports, Event], object]] = {
    "cancel": lambda ports, event: control.cancel(ports, event.execution_id, ASKED, by=_OPERATOR),
    "stop": lambda ports, event: control.stop(ports, event.execution_id, ASKED, by=_OPERATOR),
    "pause": lambda ports, event: pause_recipe(ports, event.recipe_id, by=_OPERATOR),
    "resume": lambda ports, event: resume_recipe(ports, event.recipe_id, by=_OPERATOR),
    "skip": lambda ports, event: skip_send(ports, event.recipe_id, _send_of(event), by=_OPERATOR),
    "shift": _move_one,
    "restore": lambda ports, event: restore_send(ports, event.recipe_id, _send_of(event), by=_OPERATOR),
    "delete": lambda ports, event: delete_recipe(ports, event.recipe_id, by=_OPERATOR),
    "link": _use_link,
    "once": lambda ports, event: send_a_push_once(ports, event.number),
    "tell": lambda ports, _: track_a_past_push(ports),
    "look": _look,
    "hand": lambda ports, event: start_twice(ports, event.recipe_id, event.number),
    "lift": lambda ports, event: lift_some_graves(ports, event.number),
    "segment": lambda ports, event: change_segment(ports, event.number // 100),
    "drop": lambda ports, event: drop_segment(ports, event.number // 100),
    "halt": lambda ports, event: stop_whatever_runs(ports, event.recipe_id),
}
