"""Pictures of every page of the console: `python -m local.pictures.screenshots` writes docs/screenshots/*.png."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from functions.domain.push.outcomes import Outcome
from functions.usecases.recipes.save import create_recipe, update_recipe
from local.embedded.outbox import OutcomeScript
from local.pictures.console_stage import Stage, stage

_OUT = Path(__file__).parents[2] / "docs" / "screenshots"
_SEND_AT = datetime(2026, 5, 5, 22, 30, tzinfo=UTC)
_EXECUTION = "/executions/sneaker-reactivation_20260505T223000Z"
_MINUTE = timedelta(minutes=1)
_DESK, _PHONE = (1280, 800), (375, 740)
_TESTER = "00000000-0000-4000-8000-000000000001"
_SCRIPT = OutcomeScript(by_user={_TESTER: Outcome.SENT}, rates={Outcome.BAD_MESSAGE: 0.012, Outcome.UNKNOWN: 0.004})
"""A few messages fail, as some always do."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture of a page: its name, its address, and how it is looked at."""

    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = _DESK


def main() -> int:
    """Take all pictures; return the exit status."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("chromium is not on the PATH: apt-get install chromium\n")
        return 1
    _OUT.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="tminus-") as folder,
        stage(Path(folder), script=_SCRIPT) as played,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shots in _scenes(played):
            for shot in shots:
                _take(browser, played.url, shot)
        browser.close()
    return 0


def _scenes(played: Stage) -> Iterator[Sequence[Shot]]:
    """Let the campaigns play, and yield what there is to see of each instant."""
    _prepare(played)
    played.play_until(_SEND_AT - timedelta(minutes=12, seconds=30))
    yield [
        *_both("overview", "/"),
        *_both("execution-window", _EXECUTION),
        *_both("recipe", "/recipes/sneaker-reactivation"),
        Shot(name="recipes", path="/recipes"),
        Shot(name="recipe-edit", path="/recipes/sneaker-reactivation/edit"),
        Shot(name="recipe-run", path="/recipes/sneaker-reactivation/run"),
        Shot(name="executions", path="/executions"),
        Shot(name="calendar", path="/calendar"),
        Shot(name="cadence", path="/cadence"),
        Shot(name="audit-log", path="/audit"),
        Shot(name="confirm-cancel", path=f"{_EXECUTION}/confirm"),
    ]
    played.play_until(_SEND_AT + 3 * _MINUTE)
    yield _both("execution-live", _EXECUTION)
    played.play_until(_SEND_AT + 20 * _MINUTE)
    yield [Shot(name="execution-completed", path=_EXECUTION)]


def _prepare(played: Stage) -> None:
    """Add a third recipe, and a change of a recipe."""
    ports = played.system.ports
    weekly = {
        "name": "Weekend drop",
        "schedule": {"timezone": "Europe/Paris", "frequency": "weekly", "daysOfWeek": [6], "executionTime": "11:00"},
        "pushSequence": [
            {"title": "The weekend drop is here", "body": "Be early, [[var:firstName|friend]].", "layerId": 2}
        ],
        "audienceCriteria": {"filters": {"lastActiveDays": 30}},
        "settings": {"testUserIds": [_TESTER]},
        "status": "active",
    }
    create_recipe(ports, weekly, by="ana@kicks.example")
    changes = {"description": "New users hear what to do next, step by step."}
    update_recipe(ports, "new-user-welcome", changes, by="ben@kicks.example")


def _both(name: str, path: str) -> list[Shot]:
    """Return the pictures of a main page: in both colour schemes, and on a phone."""
    return [
        Shot(name=name, path=path),
        Shot(name=f"{name}-dark", path=path, scheme="dark"),
        Shot(name=f"{name}-phone", path=path, size=_PHONE),
    ]


def _take(browser: Browser, url: str, shot: Shot) -> None:
    width, height = shot.size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=shot.scheme)
    page = context.new_page()
    page.goto(f"{url}{shot.path}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=_OUT / f"{shot.name}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
