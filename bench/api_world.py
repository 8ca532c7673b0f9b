"""A deployment with years of history: recipes and executions in the embedded store, written in one transaction."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from functions import bootstrap
from functions.domain.execution.execution import Execution, PhaseTimes, State
from functions.domain.ids import execution_id
from functions.domain.push.outcomes import Tally
from functions.domain.recipe.read import read
from functions.domain.recipe.timeline import Phase
from functions.settings import Settings
from functions.usecases.recipes.save import match_schedule
from local.embedded.clock import VirtualClock
from local.embedded.database import Database
from local.embedded.documents import to_text
from local.embedded.instants import to_micros
from local.embedded.system import EmbeddedSystem
from local.sample import generate

NOW = datetime(2026, 5, 4, 12, 7, tzinfo=UTC)
_STATES = (State.COMPLETED,) * 17 + (State.CANCELLED, State.BLOCKED, State.STOPPED)


def open_world(folder: Path, *, recipes: int, executions: int) -> EmbeddedSystem:
    """Make a system in a folder with active recipes, and executions spread evenly over them."""
    generate(folder / "data", users=1_000, seed=1, at=NOW)
    settings = Settings(state_dir=folder / "state", user_data_dir=folder / "data")
    system = bootstrap.embedded(settings, VirtualClock(NOW))
    documents = [_recipe(number) for number in range(recipes)]
    with closing(Database(folder / "state" / "tminus.db")) as database, database.transaction() as connection:
        rows = [(document["id"], to_text(document)) for document in documents]
        connection.executemany("INSERT INTO recipes VALUES (?, ?)", rows)
        columns = "id, recipe_id, send_at, created_at, claim, state, unfinished, document"
        marks = ", ".join("?" * len(columns.split(", ")))
        connection.executemany(f"INSERT INTO executions ({columns}) VALUES ({marks})", _rows(documents, executions))  # noqa: S608
    for document in documents:
        match_schedule(system.ports, read(document))
    return system


def _recipe(number: int) -> dict[str, Any]:
    push = {"title": "Hello [[var:firstName]]", "body": "Look at your [[var:product_name|item]]", "layerId": 3}
    return {
        "id": f"campaign-{number:04}",
        "name": f"Campaign {number}",
        "status": "active",
        "isActive": True,
        "schedule": {"timezone": "America/New_York", "frequency": "daily", "executionTime": f"{number % 24:02}:30"},
        "pushSequence": [
            {**push, "sequenceOrder": order, "timing": {"delayAfterPrevious": 2 * (order > 1)}} for order in (1, 2, 3)
        ],
        "audienceCriteria": {"customScript": {"scriptId": "generate_layer_3_push_csvs", "parameters": {}}},
        "settings": {"testUserIds": ["00000000-0000-4000-8000-00000000000a"]},
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
    }


def _rows(documents: list[dict[str, Any]], executions: int) -> Iterator[tuple[Any, ...]]:
    for number in range(executions):
        document = documents[number % len(documents)]
        send_at = NOW - timedelta(days=1 + number // len(documents), minutes=number % 1_440)
        execution = _execution(document, send_at, _STATES[number % len(_STATES)])
        yield (
            execution.id,
            execution.recipe_id,
            to_micros(execution.send_at),
            to_micros(execution.created_at),
            execution.claim,
            execution.state.value,
            0,
            to_text(execution.document()),
        )


def _execution(document: dict[str, Any], send_at: datetime, state: State) -> Execution:
    start = send_at - timedelta(minutes=30)
    times = PhaseTimes(started_at=start, ended_at=send_at)
    return Execution(
        id=execution_id(document["id"], send_at),
        recipe_id=document["id"],
        recipe=document,
        send_at=send_at,
        created_at=start,
        claim="bench",
        state=state,
        phases=dict.fromkeys(Phase, times),
        cleaned=True,
        totals=Tally(audience_size=9_000, sent=8_000, failed=10, excluded={"no_token": 990}),
    )
