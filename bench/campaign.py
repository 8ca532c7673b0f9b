"""A campaign of one push to any number of users on the embedded system, run up to any step of its timeline."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from audience_jobs.contract import Audience, Column, Job
from audience_jobs.engines.duckdb import DuckDBEngine
from audience_jobs.workspace import marketplace
from bench.instant import InstantSender
from functions.domain.execution.safeguards import Limits
from functions.domain.ids import execution_id
from functions.domain.policy import Policy
from functions.ports import Ports
from functions.ports.sending import PushSender
from functions.usecases.recipes.save import save_recipe
from functions.usecases.timeline.build_audience import build_audience
from functions.usecases.timeline.checkpoint import checkpoint
from functions.usecases.timeline.launch import launch
from functions.usecases.timeline.send_push import send_push
from functions.usecases.timeline.send_to_testers import send_test
from local.embedded.clock import FastClock
from local.embedded.system import EmbeddedSystem, open_system

RECIPE_ID = "bench"
SEND_AT = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
EXECUTION_ID = execution_id(RECIPE_ID, SEND_AT)
LAYER = 3
"""The layer to which two of the three cadence rules apply."""
_TESTER = "00000000-0000-4000-8000-00000000000a"
_UNPACED = 1_000_000_000


def due(send_at: datetime) -> Mapping[str, datetime]:
    """Return when each function of the timeline runs, in order."""
    return {
        "launch": send_at - timedelta(minutes=30),
        "build_audience": send_at - timedelta(minutes=30),
        "send_test": send_at - timedelta(minutes=25),
        "checkpoint": send_at,
        "send_push": send_at + timedelta(seconds=1),
        "send_shard": send_at + timedelta(seconds=2),
        "finish": send_at + timedelta(minutes=11),
    }


DUE = due(SEND_AT)

_JOB = Job(
    id="everybody",
    title="Everybody",
    layer=LAYER,
    parameters=(),
    audiences=(
        Audience(
            name="everybody",
            columns=(
                Column(name="user_id", type="text", meaning="the user"),
                Column(name="name", type="text", meaning="what to call them"),
                Column(name="item", type="text", meaning="their item"),
                Column(name="trades", type="integer", meaning="trades so far"),
            ),
            meaning="everybody",
        ),
    ),
    sql="""
        SELECT 'everybody' AS audience, id AS user_id, first_name AS name, bio AS item,
            completed_trades_count AS trades
        FROM users WHERE deleted_at = 0
    """,
)


def write_user_data(folder: Path, users: int, *, gaps: bool = False) -> None:
    """Write users with one device each as Parquet; with gaps one of 100 has no device, one of 200 no name."""
    folder.mkdir(parents=True, exist_ok=True)
    name, owners = (
        ("CASE WHEN i % 200 = 1 THEN '' ELSE 'Name ' || i % 5000 END", "i % 100 > 0")
        if gaps
        else (
            "'Name ' || i % 5000",
            "true",
        )
    )
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (
                SELECT CAST(CAST(md5(CAST(i AS VARCHAR)) AS UUID) AS VARCHAR) AS id, {name} AS first_name,
                    'runner-' || i % 1000 AS bio, i % 50 AS completed_trades_count, 0 AS deleted_at
                FROM range({users}) numbers(i)
            ) TO '{folder}/users.parquet';
            COPY (
                SELECT CAST(CAST(md5(CAST(i AS VARCHAR)) AS UUID) AS VARCHAR) AS user_id,
                    rpad('token-' || i, 152, 'x') AS token, 'ios' AS platform, TIMESTAMP '2026-01-01' AS updated_at
                FROM range({users}) numbers(i) WHERE {owners}
                UNION ALL SELECT '{_TESTER}', rpad('tester', 152, 'x'), 'ios', TIMESTAMP '2026-01-01'
            ) TO '{folder}/devices.parquet';
        """)  # noqa: S608 - our own numbers


@contextmanager
def opened(folder: Path, at: datetime, sender: PushSender | None = None) -> Iterator[EmbeddedSystem]:
    """Open the system of a folder, which holds state and user data, with a clock that starts at `at`.

    Neither limits nor FCM's quota slow it down. Without a sender, every message counts as sent at once.
    """
    most = Limits(total_audience=_UNPACED)
    system = open_system(
        folder / "state",
        clock=FastClock(1, at),
        engine=DuckDBEngine(folder / "data", marketplace()),
        find_job=lambda _: _JOB,
        workspace=marketplace(),
        policy=Policy(send_rate=_UNPACED, limits=most),
        sender=sender or InstantSender(),
    )
    try:
        yield system
    finally:
        system.close()


def save_campaign(ports: Ports, send_at: datetime = SEND_AT, *, lateness_minutes: int = 15) -> None:
    """Save the recipe: three variables in its texts, and a deep link."""
    save_recipe(ports, _recipe(send_at, lateness_minutes), by="bench")


def go_live(folder: Path, send_at: datetime = SEND_AT, *, lateness_minutes: int = 15) -> None:
    """Run the campaign of a folder until its shards are planned and due.

    They can still be sent `lateness_minutes` after they are due.
    """
    at, execution = due(send_at), execution_id(RECIPE_ID, send_at)
    with opened(folder, at["launch"] - timedelta(minutes=1)) as system:
        save_campaign(system.ports, send_at, lateness_minutes=lateness_minutes)
    steps: Mapping[str, Callable[[Ports], object]] = {
        "launch": lambda ports: launch(ports, RECIPE_ID, at["launch"]),
        "build_audience": lambda ports: build_audience(ports, execution),
        "send_test": lambda ports: send_test(ports, execution),
        "checkpoint": lambda ports: checkpoint(ports, execution),
        "send_push": lambda ports: send_push(ports, execution, 1),
    }
    for function, step in steps.items():
        with opened(folder, at[function]) as system:
            step(system.ports)


def _recipe(send_at: datetime, lateness_minutes: int) -> dict[str, Any]:
    push = {
        "sequenceOrder": 1,
        "title": "[[var:name]], your items are here",
        "body": "[[var:item]] waits for you after [[var:trades]] trades",
        "deepLink": "https://kicks.example/items/[[var:item]]",
        "layerId": LAYER,
    }
    return {
        "id": RECIPE_ID,
        "name": "Benchmark",
        "status": "active",
        "schedule": {"timezone": "UTC", "frequency": "daily", "executionTime": f"{send_at:%H:%M}"},
        "pushSequence": [push],
        "audienceCriteria": {"customScript": {"scriptId": _JOB.id}},
        "settings": {
            "testUserIds": [_TESTER],
            "safeguards": {"maxAudienceSize": _UNPACED},
            "maxLatenessMinutes": lateness_minutes,
        },
    }
