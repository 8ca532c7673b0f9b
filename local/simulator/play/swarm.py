"""Swarm testing: what a seed leaves out, and what it has a lot of.

If everything can happen in every run, one thing hides another. People who stop executions hide the effects of the
last push, and a day with few sends leaves no time for rare chains of events. So each seed draws classes of faults
that are off or frequent, fuller days, and rules that act together. These draws have their own Random, so they change
no other draw of the seed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from audience_jobs.workspace import Workspace
from functions.domain.audience.segments import Segment
from functions.domain.policy import Policy
from local.simulator.play.faults import (
    ANYWHERE,
    CHANGES_OF_SEGMENTS,
    CHANNELS,
    DELIVERY,
    DOCUMENTS,
    EVENTS,
    FCM,
    FIRES,
    IMAGES,
    INDEX,
    INTERRUPTIONS,
    JOB,
    LEDGER,
    MOVES,
    OUTLIVES,
    PERMISSION,
    SCHEDULES,
    SKIPS,
    STORAGE,
    STORAGE_WRITES,
    STRAY,
    TAKEN,
    TASKS,
    THROTTLED,
    WORDS,
    WRONG_SETTING,
    Rates,
    usual_share,
)
from local.simulator.play.scenario import LOCALES, Scenario, german
from local.simulator.play.segments import draw_segments
from local.simulator.play.users import AUDIENCES, User

Document = dict[str, Any]

_CLASSES: tuple[tuple[Mapping[str, str], float], ...] = (
    (ANYWHERE, 4),
    (INTERRUPTIONS, 8),
    (DOCUMENTS, 3),
    (LEDGER, 4),
    (STORAGE | STORAGE_WRITES, 3),
    (TASKS | DELIVERY, 4),
    (SCHEDULES | FIRES, 5),
    (FCM, 8),
    (STRAY, 8),
    (WRONG_SETTING, 4),
    (JOB, 2),
    (CHANNELS, 2),
)
"""Classes of faults that are off, usual or frequent together, and the factor of their rates when frequent."""
_LATER_CLASSES: tuple[tuple[Mapping[str, str], float], ...] = (
    (INDEX | PERMISSION, 4),
    (OUTLIVES | THROTTLED, 4),
    (TAKEN, 2),
    (IMAGES, 2),
)
"""Classes that have draws of their own, so that older seeds keep theirs."""
_STANDINGS = ("off", "off", "off", "usual", "usual", "frequent", "one stands out")
_STANDS_OUT = 3
"""The further factor for the one fault of a class that stands out."""
_MOST_SHARE = 0.3
"""The highest rate of a fault: most of the calls that it can hit succeed."""
_MOST_CRASHES = 0.03
"""The highest rate of crashes: a step makes up to 40 calls and one crash ends it, so more would leave few to end."""
_IDLE, _ACTS, _ACTS_TIMES = 0.25, 0.4, 2.0
"""The share of days on which people do nothing, the share of the other days on which a kind of event happens, and
the factor of its rate."""
_RACES = 0.2
RACES = "races"
"""Days on which people interrupt only calls that are about to change a state."""
_CALM = 0.08
CALM = "calm"
"""Days on which only favoured faults happen, and people do nothing."""


def swarm_rates(seed: int, rates: Rates, favoured: Collection[str] = ()) -> Rates:
    """Return the rates of a seed, with some classes of faults off and some frequent.

    Favoured faults stand out, whatever the seed drew.
    """
    random = Random(f"swarm rates {seed}")  # noqa: S311 - reproducible on purpose
    shares = dict(rates.shares)
    races = random.random() < _RACES or RACES in favoured
    calm = random.random() < _CALM or CALM in favoured
    later = Random(f"swarm rates of later faults {seed}")  # noqa: S311 - reproducible on purpose
    drawn = [(random, *each) for each in _CLASSES] + [(later, *each) for each in _LATER_CLASSES]
    for draws, kinds, often in drawn:
        times = _times(draws, tuple(kinds), often)
        if races and kinds is INTERRUPTIONS:
            times = dict.fromkeys(kinds, often)
        if calm:
            times = dict.fromkeys(kinds, 0.0) | {"preempt": 1.0}
        shares |= {kind: _held(kind, shares[kind] * times[kind]) for kind in kinds if kind in shares}
        usual = {kind: usual_share(kind) * often * _STANDS_OUT for kind in kinds if kind in favoured and shares}
        shares |= {kind: _held(kind, share) for kind, share in usual.items()}
    idle = random.random() < _IDLE or calm
    acts = {kind: 0.0 if idle or random.random() >= _ACTS else _ACTS_TIMES for kind in EVENTS}
    acts |= {kind: _ACTS_TIMES for kind in EVENTS | SKIPS | MOVES | CHANGES_OF_SEGMENTS if kind in favoured}
    return replace(rates, shares=shares, acts=acts, races=races)


def _held(kind: str, share: float) -> float:
    return min(share, _MOST_CRASHES if kind.startswith("crash") else _MOST_SHARE)


def _times(random: Random, kinds: Sequence[str], often: float) -> dict[str, float]:
    """Return the factor for the rate of each fault of a class."""
    standing, one = random.choice(_STANDINGS), random.choice(kinds)
    if standing == "one stands out":
        return dict.fromkeys(kinds, 1.0) | {one: often * _STANDS_OUT}
    return dict.fromkeys(kinds, {"off": 0.0, "usual": 1.0, "frequent": often}[standing])


def swarm_scenario(seed: int, scenario: Scenario, favoured: Collection[str] = ()) -> Scenario:
    """Return the scenario of a seed with fuller days, and with recipes to which several cadence rules apply."""
    random = Random(f"swarm scenario {seed}")  # noqa: S311 - reproducible on purpose
    recipes = [deepcopy(recipe) for recipe in scenario.recipes]
    for name, (change, share) in _CHANGES.items():
        if random.random() < share or name in favoured:
            change(random, recipes)
    if len(recipes) == len(scenario.recipes) and _crowded(recipes, scenario.policy):
        recipes = [recipe | {"schedule": recipes[0]["schedule"]} for recipe in recipes]
    elif CROWDED in favoured:
        recipes, scenario = _crowd(recipes, scenario)
    few = random.random() < _FEW_USERS or FEW_USERS in favoured
    users = _few(random, scenario.users) if few else scenario.users
    _illustrate(seed, recipes, favoured)
    return _elsewhere(seed, replace(scenario, recipes=tuple(recipes), users=users), favoured)


def _illustrate(seed: int, recipes: Sequence[Document], favoured: Collection[str]) -> None:
    """Give the pushes of some days images, which one recipe requires."""
    random = Random(f"images {seed}")  # noqa: S311 - reproducible on purpose
    if random.random() >= _WITH_IMAGES and WITH_IMAGES not in favoured:
        return
    for push in (push for recipe in recipes for push in recipe["pushSequence"]):
        push["image"] = random.choice(("https://img.example/a.png", "https://img.example/[[var:goal|goal]].png"))
    random.choice(recipes)["settings"]["safeguards"]["requireImages"] = True


def _elsewhere(seed: int, scenario: Scenario, favoured: Collection[str]) -> Scenario:
    """Let the day be one of the gym, which has other layers and rules, and perhaps others after a release."""
    random = Random(f"workspace {seed}")  # noqa: S311 - reproducible on purpose
    later = random.random() < _NEW_RULES or NEW_RULES in favoured
    if not (random.random() < _GYM or {GYM, NEW_RULES, SEGMENTS} & {*favoured}):
        return scenario
    recipes = deepcopy(scenario.recipes)
    for push in (push for recipe in recipes for push in recipe["pushSequence"]):
        push["layerId"] = random.choice((5, 7)) if push["layerId"] == 5 else push["layerId"]
        if "buttons" in push:
            push["translations"] = {"de": german(push)}
    recipes, segments = _by_segments(seed, recipes, favoured)
    return replace(
        scenario,
        recipes=recipes,
        segments=segments,
        users=tuple(replace(user, locale=random.choice(LOCALES)) for user in scenario.users),
        workspace=Workspace(_WORKSPACES / "gym"),
        later=Workspace(_WORKSPACES / "gym_later") if later else None,
    )


def _by_segments(
    seed: int, recipes: tuple[Document, ...], favoured: Collection[str]
) -> tuple[tuple[Document, ...], tuple[Segment, ...]]:
    """Have the recipes of some days in the gym choose their users by segments."""
    random = Random(f"segments {seed}")  # noqa: S311 - reproducible on purpose
    drawn = random.random() < _WITH_SEGMENTS or SEGMENTS in favoured
    return draw_segments(random, recipes) if drawn else (recipes, ())


def _crowded(recipes: Sequence[Document], policy: Policy) -> bool:
    """Return whether all recipes of a day send at one instant."""
    return len(recipes) > 1 and policy.limits.executions_at_once == len(recipes) - 1


def _crowd(recipes: Sequence[Document], scenario: Scenario) -> tuple[list[Document], Scenario]:
    """Make four recipes send at one instant with room for one at once, so that three wait."""
    numbers = (1, 2, 3, 4)
    together = [deepcopy(recipes[0]) | {"id": f"recipe-{number}", "name": f"Recipe {number}"} for number in numbers]
    limits = replace(scenario.policy.limits, executions_at_once=1)
    return together, replace(scenario, policy=replace(scenario.policy, limits=limits))


def _few(random: Random, users: Sequence[User]) -> tuple[User, ...]:
    """Return the testers and a few others, so that every push goes to the same users."""
    kept = [user for user in users if user.audiences][: random.choice((1, 2))]
    testers = [user for user in users if not user.audiences]
    reached = [replace(user, audiences=AUDIENCES, tokens=user.tokens or (f"token-{user.id}",)) for user in kept]
    return (*reached, *testers)


def _send_often(random: Random, recipes: list[Document]) -> None:
    """Send every few hours instead of once a day."""
    for recipe in recipes:
        _every_hours(recipe, random.choice((3, 4, 6)))


def _daily(recipe: Document, clock: str) -> None:
    kept = {name: recipe["schedule"][name] for name in ("timezone", "leadTimeMinutes")}
    recipe["schedule"] = {**kept, "frequency": "daily", "executionTime": clock}


def _every_hours(recipe: Document, step: int) -> None:
    schedule = recipe["schedule"]
    if schedule["frequency"] == "once":
        return
    hour, minute = (int(part) for part in schedule["executionTime"].split(":"))
    hours = sorted((hour + step * number) % 24 for number in range(24 // step))
    schedule |= {"frequency": "custom", "cronExpression": f"{minute} {','.join(map(str, hours))} * * *"}
    for unused in ("daysOfWeek", "dayOfMonth"):
        schedule.pop(unused, None)


def _send_daily(_: Random, recipes: list[Document]) -> None:
    """Send once a day, so that moving the send time means something."""
    for recipe in recipes:
        _daily(recipe, recipe["schedule"]["executionTime"])


def _no_caps(random: Random, recipes: list[Document]) -> None:
    """Send in layers without cadence rules."""
    for recipe in recipes:
        _in_layers(recipe, [random.choice((1, 1, 2))])


def _caps_meet(random: Random, recipes: list[Document]) -> None:
    """Make one recipe use up the limit of layers 2 and 3, and the others send in a layer with two rules."""
    if len(recipes) == 1:
        recipes.append(deepcopy(recipes[0]) | {"id": "recipe-2", "name": "Recipe 2"})
    first, *others = random.sample(recipes, k=len(recipes))
    _daily(first, "00:40")
    _every_hours(first, 3)
    _in_layers(first, [2])
    for recipe in others:
        _daily(recipe, random.choice(("15:40", "19:20")))
        _in_layers(recipe, random.choice(([3], [3], [2, 3])))
        recipe["schedule"]["timezone"] = first["schedule"]["timezone"]
    for push in (push for recipe in recipes for push in recipe["pushSequence"]):
        push["audienceName"] = AUDIENCES[0]


def _in_layers(recipe: Document, layers: Sequence[int]) -> None:
    for number, push in enumerate(recipe["pushSequence"]):
        push["layerId"] = layers[number % len(layers)]


def _resend(_: Random, recipes: list[Document]) -> None:
    for recipe in recipes:
        recipe["settings"]["onUnknown"] = "resend"


def _small_audiences(random: Random, recipes: list[Document]) -> None:
    random.choice(recipes)["settings"]["safeguards"]["maxAudienceSize"] = 4


def _dry_run(random: Random, recipes: list[Document]) -> None:
    random.choice(recipes)["audienceCriteria"]["testMode"] = True


def _test_is_optional(_: Random, recipes: list[Document]) -> None:
    """Make the test optional, so that a test user's dead token does not block the rest of the day."""
    for recipe in recipes:
        recipe["settings"]["safeguards"]["requireTestFirst"] = False


def _in_haste(random: Random, recipes: list[Document]) -> None:
    """Allow little lateness."""
    for recipe in recipes:
        recipe["settings"]["maxLatenessMinutes"] = random.choice((1, 3, 5))


def _short_lead(_: Random, recipes: list[Document]) -> None:
    """Leave no time between the test send and the shortest cancellation window."""
    for recipe in recipes:
        recipe["schedule"]["leadTimeMinutes"] = 10


def _apart(random: Random, recipes: list[Document]) -> None:
    """Put minutes between pushes."""
    for recipe in recipes:
        for push in recipe["pushSequence"]:
            push["timing"]["delayAfterPrevious"] = random.choice((1, 3, 10))


_CHANGES: Mapping[str, tuple[Callable[[Random, list[Document]], None], float]] = {
    "sends often": (_send_often, 0.75),
    "sends daily": (_send_daily, 0.15),
    "no caps": (_no_caps, 0.25),
    "caps meet": (_caps_meet, 0.35),
    "resend": (_resend, 0.25),
    "small audiences": (_small_audiences, 0.2),
    "dry run": (_dry_run, 0.2),
    "test is optional": (_test_is_optional, 0.3),
    "in haste": (_in_haste, 0.4),
    "short lead": (_short_lead, 0.3),
    "apart": (_apart, 0.5),
}
"""Changes of a day, each in its share of the seeds. If two contradict each other, the later one applies."""
_FEW_USERS = 0.25
FEW_USERS = "few users"
CROWDED = "crowded"
_GYM, _NEW_RULES = 0.3, 0.5
"""The share of days in the gym, and the share of those on which a release changes its rules."""
GYM, NEW_RULES = "gym", "new rules"
_WITH_SEGMENTS = 0.4
"""The share of days in the gym on which recipes use segments."""
SEGMENTS = "segments"
_WITH_IMAGES = 0.2
WITH_IMAGES = "with images"
_WORKSPACES = Path(__file__).parent.parent / "workspaces"
FAVOURS = frozenset({CALM, CROWDED, RACES, FEW_USERS, GYM, NEW_RULES, SEGMENTS, WITH_IMAGES, *_CHANGES, *WORDS})
"""The names that `favoured` accepts."""
