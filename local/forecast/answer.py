"""What a forecast says, as one JSON document: what the table, the page and programs read."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.domain.execution.execution import State
from functions.domain.instants import stamp
from functions.usecases.reports.execution import ExecutionReport
from functions.usecases.reports.numbers import PushNumbers
from local.forecast.forecast import Forecast, NamedReport, totals

_MOST_USERS = 10
_FCM_A_MINUTE = 600_000
"""FCM's quota of a project: firebase.google.com/docs/cloud-messaging/scale-fcm."""


@dataclass(frozen=True, kw_only=True)
class CalendarPush:
    """What becomes of one push of a send, in users."""

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


def answer(runs: Sequence[Forecast]) -> dict[str, Any]:
    """Return what the first run says in detail, and what all of them have in common.

    `quotaMinutes` is how long FCM's whole quota would take for all messages; `cost` is in millionths of a dollar.
    """
    first = runs[0]
    busiest = max(first.minutes.items(), key=lambda entry: (entry[1], entry[0]), default=None)
    messages = sum(first.minutes.values())
    return {
        "from": stamp(first.begins_at),
        "to": stamp(first.ends_at),
        "seed": first.seed,
        "totals": dict(totals(first)),
        "recipes": list(_recipes(first)),
        "calendar": [_entry(entry.report) for entry in first.executions],
        "usersHitMost": _most_hit(first),
        "pushesPerUser": _per_user(first),
        "collisions": [
            {"recipe": recipe, "heldBackBy": other, "users": users}
            for (recipe, other), users in sorted(first.collisions.items(), key=lambda entry: -entry[1])
        ],
        "quota": {
            "messages": messages,
            "quotaMinutes": round(messages / _FCM_A_MINUTE, 4),
            "busiestMinute": None if busiest is None else {"at": stamp(busiest[0]), "messages": busiest[1]},
        },
        "cost": {"microDollars": first.use.micro_dollars, **vars(first.use)},
        "runs": [_run(run) for run in runs],
    }


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes between two answers: the totals, and each recipe's sends."""
    names = [entry["id"] for entry in [*before["recipes"], *after["recipes"]]]
    sent = [{entry["id"]: entry for entry in side["recipes"]} for side in (before, after)]
    nothing = {"sent": 0, "excluded": 0, "sends": 0}
    return {
        "totals": {
            name: {"before": value, "after": after["totals"][name]} for name, value in before["totals"].items()
        },
        "recipes": [
            {
                "id": name,
                **{
                    key: {"before": sent[0].get(name, nothing)[key], "after": sent[1].get(name, nothing)[key]}
                    for key in nothing
                },
            }
            for name in dict.fromkeys(names)
        ],
        "pushesPerUser": {"before": before["pushesPerUser"], "after": after["pushesPerUser"]},
        "cost": {"before": before["cost"]["microDollars"], "after": after["cost"]["microDollars"]},
    }


def _recipes(made: Forecast) -> Iterable[dict[str, Any]]:
    by_recipe: dict[str, list[NamedReport]] = defaultdict(list)
    for entry in made.executions:
        by_recipe[entry.report.recipe_id].append(entry)
    for recipe_id, entries in sorted(by_recipe.items()):
        reports = [entry.report for entry in entries]
        excluded = sum((Counter(push.excluded) for report in reports for push in report.pushes), Counter[str]())
        yield {
            "id": recipe_id,
            "name": entries[0].recipe_name,
            "sends": len(entries),
            "states": dict(Counter(report.status.value for report in reports)),
            "audience": sum(report.totals.audience_size for report in reports),
            "sent": sum(report.totals.sent for report in reports),
            "excluded": sum(excluded.values()),
            "reasons": dict(excluded),
        }


def _entry(report: ExecutionReport) -> CalendarEntry:
    return CalendarEntry(
        execution_id=report.execution_id,
        recipe=report.recipe_id,
        send_at=report.send_at,
        status=report.status,
        reason=report.reason,
        dry_run=report.dry_run,
        pushes=[_push(push) for push in report.pushes],
    )


def _push(push: PushNumbers) -> CalendarPush:
    return CalendarPush(
        order=push.order,
        audience=push.audience,
        layer=push.layer,
        due_at=push.due_at,
        audience_size=push.audience_size,
        excluded=push.excluded,
        sent=push.sent,
        failed=push.failed,
        unknown=push.unknown,
        not_reached=push.not_reached,
    )


def _most_hit(made: Forecast) -> list[dict[str, Any]]:
    ordered = sorted(made.users.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [
        {"userId": user, "pushes": len(got), "recipes": dict(Counter(push.recipe_id for push in got))}
        for user, got in ordered[:_MOST_USERS]
    ]


def _per_user(made: Forecast) -> dict[str, int]:
    counts = Counter(len(got) for got in made.users.values())
    return {str(pushes): counts[pushes] for pushes in sorted(counts)}


def _run(made: Forecast) -> dict[str, Any]:
    return {
        "seed": made.seed,
        "totals": dict(totals(made)),
        "faults": dict(sorted(made.faults.items())),
        "breaches": [{"executionId": breach.execution_id, "what": breach.what} for breach in made.breaches],
    }
