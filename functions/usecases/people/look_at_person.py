"""What the console shows of one person: who it is, which caps apply now, and what the next days would bring."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING

from audience_jobs.errors import AudienceJobError
from functions.domain.audience.partition import partition_of
from functions.domain.cadence.rules import Push, Window, days_to_read
from functions.domain.errors import BadRecipe, NotFound
from functions.domain.ids import user_key
from functions.domain.push.outcomes import Exclusion
from functions.ports import Ports
from functions.usecases.cadence.rules_in_force import rules_in_force
from functions.usecases.dry_run.why import why
from functions.usecases.recipes.save import stored_recipe
from functions.usecases.reports.upcoming import Upcoming, upcoming

if TYPE_CHECKING:
    from functions.domain.cadence.ledger import Reserved

AHEAD = timedelta(days=7)
MOST_CAMPAIGNS = 10
MOST_SECONDS = 20
"""How many campaigns are asked about one person, and how long that may take."""
_MOST_DEVICES = 100
_NO_PUSH = b""
"""The key of a push that is never in the ledger, so that every push there counts."""


@dataclass(frozen=True, kw_only=True)
class DevicesOfPerson:
    """The devices that would get a push, by platform, their languages, and whether the person wants no pushes."""

    platforms: Mapping[str, int]
    locales: Sequence[str]
    opted_out: bool


@dataclass(frozen=True, kw_only=True)
class CapOfPerson:
    """A rule, how many pushes it counts now, and from when on it lets one more through; None if it does now."""

    name: str
    layers: Sequence[int]
    hours: int
    used: int
    limit: int
    free_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An upcoming campaign: its sends, whether they would reach the person, and why or why not.

    `gets` is None where that is not known. `looked` is false for a campaign that was not asked about.
    """

    recipe_id: str
    name: str
    sends: Sequence[Upcoming]
    gets: bool | None = None
    reasons: Sequence[str] = ()
    looked: bool = False


def devices_of(ports: Ports, user_id: str) -> DevicesOfPerson:
    """Return the devices of a person, without tokens. AudienceJobError as in `Engine.run`."""
    with TemporaryDirectory(prefix="tminus-") as folder:
        path = Path(folder) / "devices.csv"
        ports.engine.write_devices_of([user_id], path, per_user=_MOST_DEVICES, topic="", locales=True)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    devices = [row for row in rows if row["platform"] != Exclusion.OPTED_OUT.value]
    return DevicesOfPerson(
        platforms=dict(Counter(row["platform"] or "unknown" for row in devices).most_common()),
        locales=sorted({row["locale"] for row in devices if row["locale"]}),
        opted_out=len(devices) < len(rows),
    )


def caps_of(ports: Ports, user_id: str) -> Sequence[CapOfPerson]:
    """Return each rule that is on, as it stands for the person now. Hours are counted in UTC.

    LedgerUnreadable if the ledger or the rules cannot be read.
    """
    from functions.domain.cadence import ledger  # noqa: PLC0415 - it loads numpy

    now, key = ports.clock.now(), user_key(user_id)
    push = Push(key=_NO_PUSH, layer=0, at=now)
    rules = [rule for rule in rules_in_force(ports) if rule.active]
    days = days_to_read(push, rules, now)
    stored = ports.ledger.transact(partition_of(key), days, lambda packed: ({}, dict(packed)))
    reserved: Sequence[Reserved] = ledger.reserved(stored, key)
    found = []
    for rule in rules:
        window = Window(rule, push)
        counted = sorted(each.at for each in reserved if each.layer in rule.layers and window.holds(each.at))
        full = len(counted) >= rule.count
        found.append(
            CapOfPerson(
                name=rule.name,
                layers=sorted(rule.layers),
                hours=rule.hours,
                used=len(counted),
                limit=rule.count,
                free_at=counted[len(counted) - rule.count] + timedelta(hours=rule.hours) if full else None,
            )
        )
    return found


def expected(ports: Ports, user_id: str) -> Sequence[Expected]:
    """Return the campaigns of the next seven days, and what each would do for the person if it started now.

    At most ten campaigns are asked about, for at most twenty seconds. The others are listed without an answer.
    """
    until, by_recipe = ports.clock.now() + AHEAD, dict[str, list[Upcoming]]()
    for send in upcoming(ports):
        if send.at < until and not send.is_off:
            by_recipe.setdefault(send.recipe_id, []).append(send)
    started, found = monotonic(), list[Expected]()
    for recipe_id, sends in by_recipe.items():
        plain = Expected(recipe_id=recipe_id, name=sends[0].name, sends=sends)
        enough = len(found) >= MOST_CAMPAIGNS or monotonic() - started > MOST_SECONDS
        found.append(plain if enough else _asked(ports, plain, user_id))
    return found


def _asked(ports: Ports, plain: Expected, user_id: str) -> Expected:
    try:
        answer = why(ports, stored_recipe(ports, plain.recipe_id), user_id)
    except (AudienceJobError, BadRecipe, NotFound) as error:
        return Expected(**{**vars(plain), "reasons": [f"cannot be told: {error}"]})
    gets = [push.gets for push in answer.pushes]
    reasons = [step.message for push in answer.pushes for step in push.steps if not step.passes]
    unmet = [f"{each.expected}: {each.actual}" for each in answer.conditions if not each.holds and each.actual]
    told = True if any(gets) else None if None in gets else False
    return Expected(
        **{**vars(plain), "gets": told, "looked": True, "reasons": list(dict.fromkeys([*unmet, *reasons]))[:4]}
    )
