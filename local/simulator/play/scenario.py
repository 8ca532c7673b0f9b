"""The start of a run, all drawn from the seed: the day, the zone, recipes, users, and the deployment."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from audience_jobs.workspace import Workspace, marketplace
from functions.domain.alerts.alert import EVERYTHING
from functions.domain.audience.segments import Segment
from functions.domain.policy import AlertPolicy, Policy
from local.simulator.play.users import AUDIENCES, User

TESTERS = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")
ALERTS = AlertPolicy(channels=(EVERYTHING,), console_url="https://console.example", link_secrets=("s" * 32,))
_DAYS = (
    (date(2026, 3, 8), "America/New_York"),
    (date(2026, 11, 1), "America/New_York"),
    (date(2026, 3, 29), "Europe/Berlin"),
    (date(2026, 10, 25), "Europe/Berlin"),
    (date(2026, 4, 5), "Australia/Lord_Howe"),
    (date(2026, 10, 4), "Australia/Lord_Howe"),
    (date(2028, 2, 29), "Asia/Kolkata"),
    (date(2026, 2, 28), "America/Sao_Paulo"),
    (date(2026, 4, 30), "Asia/Kathmandu"),
    (date(2026, 12, 31), "Pacific/Kiritimati"),
    (date(2026, 6, 17), "UTC"),
)
_CROWDED_SHARE = 0.3
_CLOCKS = (time(0, 10), time(1, 30), time(2, 0), time(2, 30), time(3, 0), time(9, 0), time(18, 30), time(23, 50))

_SHARED = 0.4
"""The share of worlds in which a phone has changed hands."""
_OPTING_OUT = 0.4
"""The share of worlds in which users have opted out."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The world before anything happens; it lasts from `begins_at` to `ends_at`.

    `later` is the workspace of a release that comes in the middle; None: there is no such release. Recipes use the
    `segments`, if there are any.
    """

    begins_at: datetime
    ends_at: datetime
    recipes: tuple[dict[str, Any], ...]
    users: tuple[User, ...]
    policy: Policy
    chunks_under_way: int
    workspace: Workspace = field(default_factory=marketplace)
    later: Workspace | None = None
    segments: tuple[Segment, ...] = ()


def draw_scenario(seed: int, *, hours: float = 24) -> Scenario:
    """Draw a scenario of one day in its zone; the same seed gives the same scenario."""
    random = Random(f"scenario {seed}")  # noqa: S311 - reproducible on purpose
    day, zone = random.choice(_DAYS)
    begins_at = datetime.combine(day, time(0, 0), ZoneInfo(zone)).astimezone(UTC) - timedelta(hours=2)
    clocks = random.sample(_CLOCKS, k=2)
    count = random.choice((1, 2, 2, 3))
    recipes = tuple(_recipe(random, number, day, zone, clocks) for number in range(1, count + 1))
    policy = replace(
        Policy(),
        chunk_rows=random.choice((1, 2, 4)),
        shard_rows=random.choice((3, 6, 100)),
        devices_per_user=random.choice((1, 1, 2)),
        fail_open=False,
        default_test_user_ids=(TESTERS[0],),
        alerts=ALERTS,
    )
    recipes, policy = _crowded(seed, recipes, policy)
    recipes, users = _opting_out(seed, recipes, _sharing(seed, _users(random)))
    return Scenario(
        begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=hours),
        recipes=recipes,
        users=tuple(users),
        policy=policy,
        chunks_under_way=random.choice((1, 2, 4)),
    )


def _crowded(
    seed: int, recipes: tuple[dict[str, Any], ...], policy: Policy
) -> tuple[tuple[dict[str, Any], ...], Policy]:
    """On some days, make all recipes send at one instant, one more than may run at once."""
    random = Random(f"together {seed}")  # noqa: S311 - reproducible on purpose
    if len(recipes) == 1 or random.random() > _CROWDED_SHARE:
        return recipes, policy
    limits = replace(policy.limits, executions_at_once=len(recipes) - 1)
    return tuple({**each, "schedule": recipes[0]["schedule"]} for each in recipes), replace(policy, limits=limits)


def _recipe(random: Random, number: int, day: date, zone: str, clocks: Sequence[time]) -> dict[str, Any]:
    clock = random.choice(clocks)
    layer = random.choice((1, 2, 3, 3, 5))
    settings: dict[str, Any] = {
        "testUserIds": random.choice((list(TESTERS), [TESTERS[0]], [])),
        "onUnknown": random.choice(("keep", "keep", "resend")),
        "safeguards": {
            "requireTestFirst": random.random() < 0.7,
            "maxAudienceSize": random.choice((10_000,) * 9 + (4,)),
        },
    }
    return {
        "id": f"recipe-{number}",
        "name": f"Recipe {number}",
        "status": "active",
        "schedule": _schedule(random, day, random.choice((zone, zone, "UTC")), clock),
        "pushSequence": [_push(random, order, layer) for order in range(1, random.choice((1, 2, 2, 3)) + 1)],
        "audienceCriteria": {"customScript": {"scriptId": "everybody"}, "testMode": random.random() < 0.05},
        "settings": settings,
    }


def _schedule(random: Random, day: date, zone: str, clock: time) -> dict[str, Any]:
    written: dict[str, Any] = {
        "timezone": zone,
        "executionTime": f"{clock:%H:%M}",
        "leadTimeMinutes": random.choice((30, 30, 30, 10)),
    }
    frequency = random.choice(("daily",) * 5 + ("weekly", "monthly", "once", "custom"))
    written["frequency"] = frequency
    if frequency == "weekly":
        written["daysOfWeek"] = [day.isoweekday() % 7]
    if frequency == "monthly":
        written["dayOfMonth"] = 31
    if frequency == "once":
        written["startDate"] = (day + timedelta(days=zone == "UTC")).isoformat()
    if frequency == "custom":
        written["cronExpression"] = f"{clock.minute} {clock.hour},{(clock.hour + 5) % 24} * * *"
    return written


_CONTENT = {
    "data": {"to": "[[var:name]]"},
    "buttons": [{"id": "open", "title": "For [[var:name]]"}],
    "priority": "normal",
    "ios": {"category": "goals"},
}


LOCALES = ("", "de", "de_AT", "fr")
"""Locales of users in a world whose pushes have German translations."""


def german(push: dict[str, Any]) -> dict[str, Any]:
    """Return the German translation of a push."""
    return {
        "title": push["title"].replace("for", "für"),
        "body": "Dein [[var:goal|goal]] wartet",
        "buttons": [{"id": "open", "title": "Für [[var:name]]"}],
    }


def _push(random: Random, order: int, layer: int) -> dict[str, Any]:
    return {
        "sequenceOrder": order,
        "title": f"Push {order} for [[var:name]]",
        "body": "Your [[var:goal|goal]] waits",
        **(_CONTENT if order % 2 else {}),
        "layerId": random.choice((layer, layer, 2)),
        "audienceName": random.choice(AUDIENCES),
        "timing": {"delayAfterPrevious": random.choice((0, 0, 1, 3))},
    }


def _users(random: Random) -> list[User]:
    users = [
        User(
            id=f"10000000-0000-4000-8000-{number:012d}",
            audiences=random.choice((AUDIENCES, AUDIENCES, AUDIENCES[:1], AUDIENCES[1:])),
            tokens=tuple(f"token-{number}-{device}" for device in range(random.choice((0, 1, 1, 1, 2)))),
        )
        for number in range(random.choice((4, 8, 14)))
    ]
    testers = [User(id=tester, audiences=(), tokens=(f"token-{tester[-1]}",)) for tester in TESTERS]
    return users + testers


def _opting_out(
    seed: int, recipes: tuple[dict[str, Any], ...], users: list[User]
) -> tuple[tuple[dict[str, Any], ...], list[User]]:
    """Have, in some worlds, users who opted out of all pushes or of a topic, and recipes with topics."""
    random = Random(f"opt-outs {seed}")  # noqa: S311 - reproducible on purpose
    if random.random() >= _OPTING_OUT:
        return recipes, users
    about = tuple({**recipe, "topic": random.choice(("", "tips", "news"))} for recipe in recipes)
    wishes = ((), (), ("",), ("tips",), ("tips", "news"))
    return about, [replace(user, opted_out=random.choice(wishes)) for user in users]


def _sharing(seed: int, users: list[User]) -> list[User]:
    """In some worlds, register one user's newest phone again for a user later in the list.

    The draw has its own Random, so it changes no other draw of the seed.
    """
    random = Random(f"a shared phone {seed}")  # noqa: S311 - reproducible on purpose
    places = [place for place, user in enumerate(users) if user.tokens and user.audiences]
    if random.random() >= _SHARED or len(places) < 2:
        return users
    before, owner = sorted(random.sample(places, k=2))
    phone = users[before].tokens[0]
    users[owner] = replace(users[owner], tokens=(phone, *users[owner].tokens))
    return users
