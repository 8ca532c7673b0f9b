"""Recipes and users that tests start from."""

from collections.abc import Sequence
from typing import Any

from audience_jobs.workspace import marketplace
from functions.domain.execution.execution import Execution
from functions.ports import Ports
from functions.ports.executions import ExecutionSearch
from functions.usecases.cadence.rules_in_force import declared_rules, layers_of

DEFAULT_RULES, DEFAULT_LAYERS = declared_rules(marketplace()), layers_of(marketplace())
"""Those of the built-in workspace."""
TESTER = "00000000-0000-4000-8000-00000000000a"


def user(number: int) -> str:
    """The id of a user of the laboratory."""
    return f"10000000-0000-4000-8000-{number:012d}"


def recipe(**changes: Any) -> dict[str, Any]:
    """A daily recipe of three pushes to three audiences, sent at 18:30 UTC."""
    document: dict[str, Any] = {
        "id": "welcome",
        "name": "Welcome",
        "status": "active",
        "schedule": {"timezone": "UTC", "frequency": "daily", "executionTime": "18:30"},
        "pushSequence": [push(1), push(2), push(3)],
        "audienceCriteria": {"customScript": {"scriptId": "everybody"}},
        "settings": {"testUserIds": [TESTER]},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = value
    return document


def push(order: int, **changes: Any) -> dict[str, Any]:
    """A push of the recipe: layer 1, which no cadence rule holds back, two minutes after the one before."""
    document = {
        "sequenceOrder": order,
        "title": f"Push {order} for [[var:name]]",
        "body": "Your [[var:shoe]] waits",
        "deepLink": "https://kicks.example/shoes",
        "layerId": 1,
        "timing": {"delayAfterPrevious": 0 if order == 1 else 2},
    }
    return {**document, **changes}


def executions_of(ports: Ports, recipe_id: str) -> Sequence[Execution]:
    """The executions of a recipe, newest send first."""
    return ports.executions.search(ExecutionSearch(recipe_id=recipe_id), most=99)


def old_push(**changes: Any) -> dict[str, Any]:
    """A scheduled push of the old system, to be sent on 5 March 2026 at 9:15 UTC; None leaves a field out."""
    document = {
        "id": "p1",
        "createdAt": "2026-02-01T10:00:00Z",
        "scheduledFor": "2026-03-05T09:15:00.000Z",
        "title": "Hello",
        "body": "There",
        "deepLink": "https://kicks.example/shoes",
        "layerId": 2,
        "audienceCriteria": {"filters": {"lastActiveDays": 30}, "dataPacks": [], "manualUserIds": []},
        "audienceDescription": "Active users",
        "status": "scheduled",
    }
    return {name: value for name, value in {**document, **changes}.items() if value is not None}
