"""What a forecast says: what the table, the page and programs read."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Generic, TypeVar

from functions.domain.execution.execution import State
from functions.handlers.http.as_json import camel
from functions.usecases.reports.execution import ExecutionReport
from functions.usecases.reports.numbers import PushNumbers
from local.forecast.forecast import Forecast, NamedReport

_MOST_USERS = 10
_FCM_A_MINUTE = 600_000
"""FCM's quota of a project: firebase.google.com/docs/cloud-messaging/scale-fcm."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The number of sends, their users by outcome (a user counts once for each push), and the users reached."""

    executions: int
    audience: int
    sent: int
    excluded: int
    failed: int
    unknown: int
    not_reached: int
    users_reached: int


@dataclass(frozen=True, kw_only=True)
class RecipeTotals:
    """All sends of a recipe: how they end, and their users by outcome; `reasons` are those of exclusions."""

    id: str
    name: str
    sends: int
    states: Mapping[str, int]
    audience: int
    sent: int
    excluded: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class CalendarPush:
    """One push of a send, with its users by outcome."""

    order: int
    audience: str
    layer: int | None
    due_at: datetime | None
    audience_size: int
    excluded: Mapping[str, int]
    sent: int
    failed: int
    unknown: int
    not_reached: int


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """A send, and how it ends."""

    execution_id: str
    recipe: str
    send_at: datetime
    status: State
    reason: str
    dry_run: bool | None
    pushes: Sequence[CalendarPush]


@dataclass(frozen=True, kw_only=True)
class UserPushes:
    """A user, with the number of pushes received, in all and of each recipe."""

    user_id: str
    pushes: int
    recipes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Collision:
    """The number of users who do not get a push of `recipe`, because of an earlier push of `held_back_by`."""

    recipe: str
    held_back_by: str
    users: int


@dataclass(frozen=True, kw_only=True)
class BusyMinute:
    """A minute, and the messages sent in it."""

    at: datetime
    messages: int


@dataclass(frozen=True, kw_only=True)
class Quota:
    """All messages; `quota_minutes` is how long FCM's whole quota takes for them."""

    messages: int
    quota_minutes: float
    busiest_minute: BusyMinute | None


@dataclass(frozen=True, kw_only=True)
class ShownBreach:
    """A breach of the delivery contract."""

    execution_id: str
    what: str


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """The totals of one run, the faults that it played, and the breaches that it found."""

    seed: int
    totals: Totals
    faults: Mapping[str, int]
    breaches: Sequence[ShownBreach]


@dataclass(frozen=True, kw_only=True)
class Sides(Generic[T]):
    """A figure of two forecasts."""

    before: T
    after: T


@dataclass(frozen=True, kw_only=True)
class RecipeChange:
    """What changes for one recipe."""

    id: str
    sent: Sides[int]
    excluded: Sides[int]
    sends: Sides[int]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What changes between two forecasts; `totals` has the keys of the JSON, `cost` is in millionths of a dollar."""

    totals: Mapping[str, Sides[int]]
    recipes: Sequence[RecipeChange]
    pushes_per_user: Sides[Mapping[str, int]]
    cost: Sides[int]


@dataclass(frozen=True, kw_only=True)
class ForecastReport:
    """The first run in detail, from `from_` until before `to`, and the totals of all runs.

    `pushes_per_user` counts users by the number of their pushes. `cost` has `microDollars`, millionths of a dollar,
    and the operations that are billed.
    """

    from_: datetime
    to: datetime
    seed: int
    totals: Totals
    recipes: Sequence[RecipeTotals]
    calendar: Sequence[CalendarEntry]
    users_hit_most: Sequence[UserPushes]
    pushes_per_user: Mapping[str, int]
    collisions: Sequence[Collision]
    quota: Quota
    cost: Mapping[str, int]
    runs: Sequence[RunReport]
    comparison: Comparison | None = None


def report(runs: Sequence[Forecast]) -> ForecastReport:
    """Return the first run in detail, and the totals of all."""
    first = runs[0]
    return ForecastReport(
        from_=first.begins_at,
        to=first.ends_at,
        seed=first.seed,
        totals=_totals(first),
        recipes=list(_recipes(first)),
        calendar=[_entry(entry.report) for entry in first.executions],
        users_hit_most=_most_hit(first),
        pushes_per_user=_per_user(first),
        collisions=[
            Collision(recipe=recipe, held_back_by=other, users=users)
            for (recipe, other), users in sorted(first.collisions.items(), key=lambda entry: -entry[1])
        ],
        quota=_quota(first),
        cost={"microDollars": first.use.micro_dollars, **vars(first.use)},
        runs=[_run(run) for run in runs],
    )


def compare(before: ForecastReport, after: ForecastReport) -> Comparison:
    """Return what changes from one forecast to another."""
    sums = [{entry.id: entry for entry in side.recipes} for side in (before, after)]
    names = dict.fromkeys(name for side in sums for name in side)
    return Comparison(
        totals={camel(field.name): _sides(field.name, before.totals, after.totals) for field in fields(Totals)},
        recipes=[_recipe_change(name, *(side.get(name) for side in sums)) for name in names],
        pushes_per_user=Sides(before=before.pushes_per_user, after=after.pushes_per_user),
        cost=Sides(before=before.cost["microDollars"], after=after.cost["microDollars"]),
    )


def _recipe_change(name: str, before: RecipeTotals | None, after: RecipeTotals | None) -> RecipeChange:
    sent, excluded, sends = (_sides(figure, before, after) for figure in ("sent", "excluded", "sends"))
    return RecipeChange(id=name, sent=sent, excluded=excluded, sends=sends)


def _sides(figure: str, before: object, after: object) -> Sides[int]:
    """Return a figure of both sides; a recipe that one side lacks counts as 0."""
    return Sides(before=getattr(before, figure, 0), after=getattr(after, figure, 0))


def _totals(made: Forecast) -> Totals:
    pushes = [push for entry in made.executions for push in entry.report.pushes]
    return Totals(
        executions=len(made.executions),
        audience=sum(push.audience_size for push in pushes),
        sent=sum(push.sent for push in pushes),
        excluded=sum(sum(push.excluded.values()) for push in pushes),
        failed=sum(push.failed for push in pushes),
        unknown=sum(push.unknown for push in pushes),
        not_reached=sum(push.not_reached for push in pushes),
        users_reached=len(made.users),
    )


def _recipes(made: Forecast) -> Iterable[RecipeTotals]:
    by_recipe: dict[str, list[NamedReport]] = defaultdict(list)
    for entry in made.executions:
        by_recipe[entry.report.recipe_id].append(entry)
    for recipe_id, entries in sorted(by_recipe.items()):
        reports = [entry.report for entry in entries]
        excluded = sum((Counter(push.excluded) for each in reports for push in each.pushes), Counter[str]())
        yield RecipeTotals(
            id=recipe_id,
            name=entries[0].recipe_name,
            sends=len(entries),
            states=Counter(each.status.value for each in reports),
            audience=sum(each.totals.audience_size for each in reports),
            sent=sum(each.totals.sent for each in reports),
            excluded=sum(excluded.values()),
            reasons=excluded,
        )


def _entry(each: ExecutionReport) -> CalendarEntry:
    return CalendarEntry(
        execution_id=each.execution_id,
        recipe=each.recipe_id,
        send_at=each.send_at,
        status=each.status,
        reason=each.reason,
        dry_run=each.dry_run,
        pushes=[_push(push) for push in each.pushes],
    )


def _push(push: PushNumbers) -> CalendarPush:
    return CalendarPush(**{field.name: getattr(push, field.name) for field in fields(CalendarPush)})


def _most_hit(made: Forecast) -> list[UserPushes]:
    ordered = sorted(made.users.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [
        UserPushes(user_id=user, pushes=len(got), recipes=Counter(push.recipe_id for push in got))
        for user, got in ordered[:_MOST_USERS]
    ]


def _per_user(made: Forecast) -> dict[str, int]:
    counts = Counter(len(got) for got in made.users.values())
    return {str(pushes): counts[pushes] for pushes in sorted(counts)}


def _quota(made: Forecast) -> Quota:
    messages = sum(made.minutes.values())
    busiest = max(made.minutes.items(), key=lambda entry: (entry[1], entry[0]), default=None)
    return Quota(
        messages=messages,
        quota_minutes=round(messages / _FCM_A_MINUTE, 4),
        busiest_minute=None if busiest is None else BusyMinute(at=busiest[0], messages=busiest[1]),
    )


def _run(made: Forecast) -> RunReport:
    return RunReport(
        seed=made.seed,
        totals=_totals(made),
        faults=dict(sorted(made.faults.items())),
        breaches=[ShownBreach(execution_id=breach.execution_id, what=breach.what) for breach in made.breaches],
    )
